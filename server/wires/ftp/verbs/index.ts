/** TABLE 2: every verb of FTP, one literal each, in the files of their subjects. */
import type { FtpVerb } from '../verb.ts';
import { aboutVerbs } from './about.ts';
import { dataVerbs } from './data.ts';
import { factVerbs } from './facts.ts';
import { listingVerbs } from './listings.ts';
import { loginVerbs } from './login.ts';
import { nameVerbs } from './names.ts';
import { securityVerbs } from './security.ts';
import { transferVerbs } from './transfers.ts';

export const verbs: ReadonlyMap<string, FtpVerb> = new Map(
  [
    ...loginVerbs,
    ...securityVerbs,
    ...nameVerbs,
    ...listingVerbs,
    ...transferVerbs,
    ...factVerbs,
    ...dataVerbs,
    ...aboutVerbs,
  ].map(entry => [entry.name, entry]),
);

/**
 * A person who does danrything that changes the hub besides posting and uploading, one command after the other, and keeps
 * for each that was acknowledged a question whose answer must show it from then on, whatever happens to the server.
 */
import type { Test } from 'tap';
import type { LineClient } from './line-client.ts';
import type { ServerProcess } from './server-process.ts';
import { signIn, type Worker, work } from './workload.ts';

interface Claim {
  readonly ask: string;
  /** All lines of the answer, its last one included. */
  readonly holds: (answer: string) => boolean;
}

/** What a claim is about → the claim. */
export type Claims = Map<string, Claim>;

const shows = (ask: string, pattern: RegExp): Claim => ({ ask, holds: answer => pattern.test(answer) });
const hides = (ask: string, word: string): Claim => ({ ask, holds: answer => !answer.includes(word) });

async function ask(client: LineClient, line: string): Promise<string> {
  client.send(line);
  const verb = line.slice(0, line.indexOf(' ') < 0 ? undefined : line.indexOf(' '));
  return (await client.until(new RegExp(`^[+-] ${verb}\\b`))).join('\n');
}

/** Changes things in a room of its own until the connection is lost; `dan` must have an account, and hears it. */
export function mixer(t: Test, server: ServerProcess, user: string, claims: Claims, tag: string): Worker {
  return work(async isStopped => {
    const client = await signIn(t, server, user);
    const room = `mix-${tag}`;
    /** Between question and answer either state is right, so nothing is claimed of it. */
    async function act(what: string, line: string, claim: (answer: string) => Claim): Promise<string> {
      claims.delete(what);
      const answer = await ask(client, line);
      if (!/^\+ /m.test(answer)) throw new Error(`${line}: ${answer}`);
      claims.set(what, claim(answer));
      return answer;
    }
    const about = (subject: string) => `${room} ${subject}`;
    const seqOf = (answer: string) => Number(/ seq=(\d+)/.exec(answer)?.[1]);
    const row = (seq: number) => `HISTORY ${room} after=${seq - 1} limit=1`;

    await act(room, `CREATE ${room}`, () => shows(`TOPIC ${room}`, /^\+ TOPIC/));
    await act(about('visibility'), `VISIBILITY ${room} listed`, () => shows(`VISIBILITY ${room}`, /=listed/));
    await act(about('invite'), `INVITE ${room} role=reader`, answer => {
      const invite = / invite=(\S+)/.exec(answer)?.[1] ?? 'none';
      return { ask: 'INVITES', holds: listed => listed.includes(invite.slice(0, 8)) };
    });
    for (let n = 0; !isStopped(); n++) {
      const text = `${tag} ${n}`;
      const kept = seqOf(await ask(client, `SAY ${room} :${text}`));
      const gone = seqOf(await ask(client, `SAY ${room} :${text} gone`));
      await act(about(`edit ${n}`), `EDIT ${room} ${kept} :${text} anew`, () => shows(row(kept), / anew$/m));
      await act(about(`delete ${n}`), `DELETE ${room} ${gone}`, () => shows(row(gone), / deleted=/));
      await act(about(`react ${n}`), `REACT ${room} ${kept} yes`, () => shows(row(kept), / reactions=/));
      await act(about('topic'), `TOPIC ${room} :${text}`, () => shows(`TOPIC ${room}`, new RegExp(` :${text}$`)));
      const role = n % 2 === 0 ? 'reader' : 'member';
      await act(about('role'), `ROLE ${room} dan ${role}`, () => shows(`ROLE ${room} dan`, new RegExp(`=${role}`)));
      await act(about('slow'), `SLOW ${room} ${n + 1}`, () => shows(`SLOW ${room}`, new RegExp(`=${n + 1}\\b`)));
      const quota = 1_000_000 + n;
      await act(about('quota'), `QUOTA ${room} ${quota}`, () => shows(`QUOTA ${room}`, new RegExp(`=${quota}\\b`)));
      await act(about('mute'), `MUTE ${room} dan :${text}`, () => shows(`BANS ${room}`, /user=dan/));
      await act(about('mute'), `UNMUTE ${room} dan`, () => hides(`BANS ${room}`, 'user=dan'));
      await act(about(`told ${n}`), `TELL dan :${text}`, answer =>
        shows(`HISTORY @dan after=${seqOf(answer) - 1} limit=1`, new RegExp(` :${text}$`, 'm')),
      );
      const minted = await act(about('token'), `MINT ${tag}-${n}`, answer =>
        shows('TOKENS', new RegExp(`id=${/ id=(\S+)/.exec(answer)?.[1]} `)),
      );
      const id = / id=(\S+)/.exec(minted)?.[1] ?? 'none';
      await act(about('token'), `REVOKE ${id}`, () => hides('TOKENS', `id=${id} `));
      await moveAbout(act, room, n);
    }
    client.finish();
  });
}

type Act = (what: string, line: string, claim: (answer: string) => Claim) => Promise<string>;

/** A folder is made, a file put, copied and moved into it, and the copy removed. */
async function moveAbout(act: Act, room: string, n: number): Promise<void> {
  const [folder, file, copy] = [`/${room}/f${n}`, `/${room}/file${n}`, `/${room}/copy${n}`];
  const there = (path: string) => shows(`STAT ${path}`, /^\+ STAT/);
  const gone = (path: string) => shows(`STAT ${path}`, /^- STAT no-file/);
  await act(folder, `MKDIR ${folder}`, () => there(folder));
  await act(file, `{4} PUT ${file}\nfour`, () => there(file));
  await act(copy, `CP ${file} ${copy}`, () => there(copy));
  await act(file, `MV ${file} ${folder}/file`, () => gone(file));
  await act(copy, `RM ${copy}`, () => gone(copy));
  await act(`${folder}/file`, `STAT ${folder}/file`, () => there(`${folder}/file`));
}

/** Asserts that danry answer shows what was acknowledged. */
export async function verifyClaims(t: Test, server: ServerProcess, user: string, claims: Claims): Promise<void> {
  const client = await signIn(t, server, user);
  const broken: string[] = [];
  for (const [what, { ask: question, holds }] of claims) {
    const answer = await ask(client, question);
    if (!holds(answer)) broken.push(`${what}: ${question} says ${answer}`);
  }
  t.same(broken, [], 'every change that was acknowledged stands');
  client.finish();
  await client.ended;
}

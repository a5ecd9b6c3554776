/** The certificate of the TLS ports: the administrator's, or a self-signed one that is made on first start and kept. */
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** sha256 of the certificate, as clients show it. */
  readonly fingerprint: string;
  /** It was made just now. */
  readonly isNew: boolean;
}

const validDays = 3650;

export async function readCertificate(certFile: string, keyFile: string): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  return { key, cert, fingerprint: new X509Certificate(cert).fingerprint256, isNew: false };
}

/** The one in the folder, or a new one if there is none or it has run out. `undefined` keeps it in memory. */
export async function ownCertificate(dataDir: string | undefined): Promise<Certificate> {
  const files = dataDir === undefined ? undefined : ([join(dataDir, 'cert.pem'), join(dataDir, 'key.pem')] as const);
  const kept = files && (await readCertificate(...files).catch(() => undefined));
  if (kept && new Date(new X509Certificate(kept.cert).validTo).getTime() > Date.now()) return kept;
  const { cert, key } = await makeCertificate();
  if (files) {
    await writeFile(files[1], key, { mode: 0o600 });
    await writeFile(files[0], cert);
  }
  return { key, cert, fingerprint: new X509Certificate(cert).fingerprint256, isNew: true };
}

async function makeCertificate(): Promise<{ cert: string; key: string }> {
  const name = hostname();
  const notAfterDate = new Date(Date.now() + validDays * 86_400_000);
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    notAfterDate,
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: name },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** The certificate of the TLS ports: the administrator's, or a self-signed one that is made on first start and kept. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** sha256 of the certificate, as clients show it. */
  readonly fingerprint: string;
  /** It was made just now. */
  readonly isNew: boolean;
}

const validDays = 3650;

/** Errors: a plain Error when a file cannot be read, is no PEM, or the key belongs to another certificate. */
export async function readCertificate(certFile: string, keyFile: string): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  const { parsed, secret } = parsePair(cert, key);
  if (!parsed.checkPrivateKey(secret)) throw new Error('the key does not belong to the certificate');
  return { key, cert, fingerprint: parsed.fingerprint256, isNew: false };
}

function parsePair(cert: string, key: string) {
  try {
    return { parsed: new X509Certificate(cert), secret: createPrivateKey(key) };
  } catch (error) {
    throw new Error('the files do not hold a certificate and a key as PEM', { cause: error });
  }
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
  // Loaded when a certificate is made, which is once: it would take a third of every start.
  const { generate } = await import('selfsigned');
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

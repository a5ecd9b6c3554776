/** Reading all documents of a kind, a page at a time: a hub may have more than should be in memory twice. */
import type { Document, DocumentKind, Store } from './host.ts';

const pageRows = 500;

/** In the order of keys; those that are written meanwhile may be among them. */
export async function* documentsOf<T>(
  store: Pick<Store, 'documents'>,
  kind: DocumentKind,
): AsyncGenerator<Document<T>> {
  for (let after = ''; ; ) {
    const page = await store.documents<T>(kind, { after, limit: pageRows });
    yield* page;
    const last = page.at(-1);
    if (page.length < pageRows || !last) return;
    after = last.key;
  }
}

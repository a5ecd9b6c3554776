/** The store for every part of the page, without handing it down. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Store } from './session-store.ts';

export const StoreContext = createContext<Store | undefined>(undefined);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error('a part of the page stands outside of it');
  return store;
}

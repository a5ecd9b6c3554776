/** Where the page begins: one store, and what shows it. */
import { render } from 'preact';
import { App } from './app.tsx';
import './themes.css';
import './layout.css';
import './chat.css';
import { Store } from './session-store.ts';

render(<App store={new Store()} />, document.getElementById('page')!);

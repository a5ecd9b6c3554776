/** What is said across the page: that the hub is away and when it is tried again, and what has just happened. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { clientClock } from '../clock.ts';
import { IconButton } from './icons.tsx';
import { say } from './preferences.ts';
import { useStore } from './store-context.ts';

export function Banner() {
  const { link } = useStore();
  const { value: state } = link.state;
  const nowMs = useSignal(clientClock.now());
  const isDown = state.kind === 'down';
  useEffect(() => {
    if (!isDown) return;
    nowMs.value = clientClock.now();
    let cancel = () => {};
    const tick = () => {
      nowMs.value = clientClock.now();
      cancel = clientClock.after(500, tick);
    };
    cancel = clientClock.after(500, tick);
    return () => cancel();
  }, [isDown, nowMs]);
  if (state.kind === 'up') return null;
  const reason = isDown ? (state.reason === 'shutting-down' ? say('restarting') : state.reason) : '';
  const seconds = isDown ? Math.max(0, Math.ceil((state.retryAtMs - nowMs.value) / 1000)) : 0;
  return (
    <div class="banner">
      <span role="status">{reason === '' ? say('offline') : say('offlineBecause', { reason })}</span>
      <span>{isDown ? say('retryIn', { seconds }) : say('retrying')}</span>
      {isDown && (
        <button type="button" onClick={() => link.retry()}>
          {say('retryNow')}
        </button>
      )}
    </div>
  );
}

export function Notice() {
  const { notice } = useStore();
  const { value } = notice;
  return (
    <div class="notices" role={value?.isError ? 'alert' : 'status'}>
      {value && (
        <div class={`notice ${value.isError ? 'is-error' : ''}`}>
          <span>{value.text}</span>
          <IconButton icon="close" label={say('close')} onClick={() => (notice.value = undefined)} />
        </div>
      )}
    </div>
  );
}

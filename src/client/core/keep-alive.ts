/**
 * Keeps the process alive while a client is open. The clock's timers do not, and between a lost connection and the next
 * there may be no socket: without this, a program that waits for a send would end silently in the middle of a failover.
 */
export function keepAlive(): { release(): void } {
  const { port1 } = new MessageChannel()
  port1.ref()
  return {
    release() {
      port1.close()
    },
  }
}

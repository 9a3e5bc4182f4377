/**
 * Which brokers take requests of many parts. Asked once for each connection, by a request without parts; until the answer
 * is there, sends go one by one: nothing has to be sent again when it is no.
 */
import type { RemotingClient } from '../../remoting/client.ts'
import { ResponseCode } from '../../remoting/codes.ts'
import type { RemotingCommand } from '../../remoting/command.ts'
import type { Connection } from '../../remoting/connection.ts'

type Ask = (
  address: string,
  timeoutMs: number,
  done: (error: Error | undefined, answer: RemotingCommand | undefined) => void,
) => void

export class ManyTakers {
  readonly #remoting: Pick<RemotingClient, 'existing'>
  readonly #ask: Ask
  /** Absent: not asked. Another broker may be behind the same address the next time, so connections are remembered. */
  readonly #byConnection = new WeakMap<Connection, 'asked' | 'takes' | 'refuses'>()

  constructor(remoting: Pick<RemotingClient, 'existing'>, ask: Ask) {
    this.#remoting = remoting
    this.#ask = ask
  }

  /** Whether the broker at `address` is known to take them; who was not asked yet is. */
  takes(address: string, timeoutMs: number): boolean {
    const connection = this.#remoting.existing(address)
    if (connection === undefined) return false
    const state = this.#byConnection.get(connection)
    if (state !== undefined) return state === 'takes'
    this.#byConnection.set(connection, 'asked')
    this.#ask(address, timeoutMs, (_error, answer) => this.#told(connection, answer))
    return false
  }

  /** It took them, and does no more: behind a node that does not lead, the leader may have changed. */
  refused(address: string): void {
    const connection = this.#remoting.existing(address)
    if (connection !== undefined) this.#byConnection.set(connection, 'refuses')
  }

  #told(connection: Connection, answer: RemotingCommand | undefined): void {
    if (answer?.code === ResponseCode.SUCCESS) this.#byConnection.set(connection, 'takes')
    else if (answer?.code === ResponseCode.REQUEST_CODE_NOT_SUPPORTED) this.#byConnection.set(connection, 'refuses')
    // Whatever else was said says nothing of it.
    else this.#byConnection.delete(connection)
  }
}

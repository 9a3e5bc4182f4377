/** A client that another node speaks for: its address is known, its connection is not here. */
import type { Origin } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'

export class ForwardedOrigin implements Origin {
  readonly remoteAddress: string
  readonly remoteHost: string
  readonly remotePort: number
  readonly localAddress = ''
  readonly closed = false

  constructor(remoteHost: string, remotePort: number) {
    this.remoteHost = remoteHost
    this.remotePort = remotePort
    this.remoteAddress = `${remoteHost}:${remotePort}`
  }

  /** Never: this node does not see the connection. */
  onClose(): void {}

  invoke(): Promise<never> {
    return Promise.reject(refusal('BROKER_CONSUMER_OFFLINE', 'the client is connected to another node'))
  }

  invokeCallback: Origin['invokeCallback'] = (_request, _timeoutMs, done) => {
    done(refusal('BROKER_CONSUMER_OFFLINE', 'the client is connected to another node'), undefined)
  }

  invokeOneway(): boolean {
    return false
  }
}

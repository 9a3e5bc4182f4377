/** What name servers keep beside the routes: texts by namespace and key, who may be written to, their configuration. */
import { KvTable } from '../../remoting/bodies/broker.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { numberField, refusal } from '../core/broker-api.ts'
import { checkText, checkTexts } from '../core/call-options.ts'
import { compareText } from '../core/message-queue.ts'
import { responseCodeOf } from '../core/errors.ts'
import { readConfig } from './config-text.ts'
import type { AdminConnection } from './connection.ts'

/** Errors of every method: those of `AdminConnection`, and `CLIENT_OPTION` for what is no text. */
export class NameServers {
  readonly #at: AdminConnection

  constructor(at: AdminConnection) {
    this.#at = at
  }

  /** All pairs of a namespace, sorted; none when nothing was ever put there. */
  async pairs(namespace: string): Promise<[key: string, value: string][]> {
    const answer = await this.#ask({ code: RequestCode.GET_KVLIST_BY_NAMESPACE, header: { namespace } })
    if (answer === undefined) return []
    return [...KvTable.decode(answer.body).table].sort(([a], [b]) => compareText(a, b))
  }

  /** Undefined: there is none. */
  async get(namespace: string, key: string): Promise<string | undefined> {
    const answer = await this.#ask({ code: RequestCode.GET_KV_CONFIG, header: { namespace, key } })
    return answer?.fields.get('value')
  }

  async put(namespace: string, key: string, value: string): Promise<void> {
    const header = { namespace, key, value }
    checkTexts('pair', header)
    await this.#at.allNamesrvs({ code: RequestCode.PUT_KV_CONFIG, header })
  }

  async delete(namespace: string, key: string): Promise<void> {
    const header = { namespace, key }
    checkTexts('pair', header)
    await this.#at.allNamesrvs({ code: RequestCode.DELETE_KV_CONFIG, header })
  }

  /**
   * Takes a broker group out of the routes that producers write by, or puts it back, until its leader registers anew with
   * another permission. Resolves with how many topics that changed, at the name server that has most of them.
   */
  async allowWrites(brokerName: string, isAllowed: boolean): Promise<number> {
    const code = isAllowed ? RequestCode.ADD_WRITE_PERM_OF_BROKER : RequestCode.WIPE_WRITE_PERM_OF_BROKER
    const field = isAllowed ? 'addTopicCount' : 'wipeTopicCount'
    await this.#at.brokerOf(brokerName)
    const counts = await Promise.all(
      this.#at.options.namesrv.map(async (address) => {
        const answer = await this.#at.namesrvAt(address, { code, header: { brokerName } })
        if (answer.code !== ResponseCode.SUCCESS) throw refusal(answer)
        return numberField(answer, field)
      }),
    )
    return Math.max(...counts)
  }

  /** The configuration of the first name server, as in a file. */
  async config(): Promise<ReadonlyMap<string, string>> {
    const answer = await this.#at.namesrv({ code: RequestCode.GET_NAMESRV_CONFIG })
    return readConfig(answer.body)
  }

  /** Of all name servers. Errors: `CLIENT_REFUSED` for a key that cannot be changed. */
  async updateConfig(text: string): Promise<void> {
    checkText('text', text)
    await this.#at.allNamesrvs({ code: RequestCode.UPDATE_NAMESRV_CONFIG, body: Buffer.from(text) })
  }

  /** Of the first name server that answers: what was put is at all of them. */
  async #ask(request: { readonly code: number; readonly header: Readonly<Record<string, string>> }) {
    checkTexts('pair', request.header)
    try {
      return await this.#at.namesrv(request)
    } catch (error) {
      if (responseCodeOf(error) === ResponseCode.QUERY_NOT_FOUND) return undefined
      throw error
    }
  }
}

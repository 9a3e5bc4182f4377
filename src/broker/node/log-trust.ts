/**
 * What a node remembers of a log that may lack what the node acknowledged: it is in doubt, and the hard state says so
 * until a leader has filled it (docs/durability.md).
 */
import type { Log } from '../../lib/log.ts'
import type { HardStateFile } from '../../store/hard-state.ts'
import type { TailDamage } from '../../store/tail-damage.ts'
import type { LastStop, TrustFile } from '../../store/trust-file.ts'

export interface LogTrustNeeds {
  readonly trust: Pick<TrustFile, 'isInDoubt' | 'isSameBoot' | 'endUnsynced'>
  readonly hardState: Pick<HardStateFile, 'value' | 'save'>
  readonly log: Log
}

export class LogTrust {
  readonly #need: LogTrustNeeds

  constructor(need: LogTrustNeeds) {
    this.#need = need
  }

  /**
   * The log ends in bytes that a process which died did not leave so, and is about to lose them. What a loss of power kept
   * from being written was never answered for; unless the machine stayed up: then it was rot, of entries that may be
   * acknowledged.
   */
  async tailIsDamaged(damage: TailDamage): Promise<void> {
    if (damage === 'unwritten' && !this.#need.trust.isSameBoot) return
    await this.#doubt('the disk damaged the end of the log')
  }

  /** The log is open, and durable as it is. Only now may the trust file forget what the hard state remembers. */
  async opened(lastStop: LastStop): Promise<void> {
    const { trust } = this.#need
    if (trust.isInDoubt(lastStop)) await this.#doubt('the machine went down while this node was in async flush')
    await trust.endUnsynced()
  }

  async #doubt(why: string): Promise<void> {
    const { hardState, log } = this.#need
    log.warn(
      {},
      `${why}: its log may lack what it acknowledged, and its vote completes no quorum until a leader has filled it`,
    )
    await hardState.save({ ...hardState.value, trusted: false })
  }
}

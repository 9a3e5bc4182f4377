/** The options in force, which code 318 changes while the name server runs (RocketMQ Configuration). */
import { errorMessage } from '../lib/errors.ts'
import { formatProperties, parseProperties } from '../lib/properties.ts'
import { namesrvErrors } from './errors.ts'
import { changeNamesrvOptions, formatNamesrvOptions, type NamesrvOptions } from './options.ts'
import type { TextFiles } from './text-files.ts'

/** Keys that no configuration gives free (RocketMQ DefaultRequestProcessor.initConfigBlackList). */
const neverChanged: readonly string[] = ['configBlackList', 'configStorePath', 'kvConfigPath', 'rocketmqHome']

export class LiveOptions {
  readonly #files: TextFiles
  #options: NamesrvOptions

  constructor(need: { readonly files: TextFiles; readonly options: NamesrvOptions }) {
    this.#files = need.files
    this.#options = need.options
  }

  get current(): NamesrvOptions {
    return this.#options
  }

  /**
   * Changes options by a `.properties` text and writes all of them to `configStorePath`. Those that concern listening
   * count from the next start. Throws NAMESRV_REFUSED for keys of the black list, OPTIONS_INVALID, NAMESRV_NOT_WRITTEN;
   * then nothing changed.
   */
  change(text: string): void {
    const changes = parseProperties(text, 'the request')
    const blackList = new Set([...neverChanged, ...this.#options.configBlackList.split(';')])
    if (changes.entries.some(({ key }) => blackList.has(key))) {
      throw namesrvErrors.create('NAMESRV_REFUSED', 'Can not update config in black list.')
    }
    const options = changeNamesrvOptions(this.#options, changes)
    try {
      this.#files.write(options.configStorePath, formatProperties(formatNamesrvOptions(options)))
    } catch (error) {
      throw namesrvErrors.create('NAMESRV_NOT_WRITTEN', `${options.configStorePath}: ${errorMessage(error)}`, error)
    }
    this.#options = options
  }

  /** As a `.properties` text. */
  format(): string {
    return formatProperties(formatNamesrvOptions(this.#options))
  }
}

import type { Command } from 'commander'
import { NameServers } from '../../client/admin/name-servers.ts'
import { jsonOption, namesrvOption, note, print, processIo, table, tell, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface KvFlags {
  readonly namesrv: string
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  const kv = program
    .command('kv')
    .summary('list, get, set or delete texts that the name servers keep')
    .description('Texts that the name servers keep by namespace and key, for example ORDER_TOPIC_CONFIG.')
  const command = (words: string, description: string): Command =>
    kv.command(words).description(description).addOption(namesrvOption())
  command('list <namespace>', 'list all pairs of a namespace')
    .addOption(jsonOption())
    .action((namespace: string, { json = false, ...flags }: KvFlags) =>
      withConnection(flags, io, async (at) => {
        const pairs = await new NameServers(at).pairs(namespace)
        if (json) return print(io, `${JSON.stringify(Object.fromEntries(pairs))}\n`)
        if (pairs.length === 0) return note(io, `${namespace} is empty`)
        await print(io, table(['key', 'value'], pairs))
      }),
    )
  command('get <namespace> <key>', 'print one value').action((namespace: string, key: string, flags: KvFlags) =>
    withConnection(flags, io, async (at) => {
      const value = await new NameServers(at).get(namespace, key)
      if (value === undefined) throw new Error(`there is no ${key} in ${namespace}`)
      await print(io, `${value}\n`)
    }),
  )
  command('set <namespace> <key> <value>', 'set one, at all name servers')
    .addOption(jsonOption())
    .action((namespace: string, key: string, value: string, flags: KvFlags) =>
      withConnection(flags, io, async (at) => {
        await new NameServers(at).put(namespace, key, value)
        await tell(io, flags, `${namespace}: ${key} is set`, { done: 'kv set', namespace, key, value })
      }),
    )
  command('delete <namespace> <key>', 'delete one, at all name servers')
    .addOption(jsonOption())
    .action((namespace: string, key: string, flags: KvFlags) =>
      withConnection(flags, io, async (at) => {
        await new NameServers(at).delete(namespace, key)
        await tell(io, flags, `${namespace}: ${key} is deleted`, { done: 'kv delete', namespace, key })
      }),
    )
}

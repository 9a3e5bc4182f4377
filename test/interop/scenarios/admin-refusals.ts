import assert from 'node:assert/strict'
import { mqadminAll } from '../support/admin.ts'
import { leaderAddress } from '../support/raftmq.ts'
import type { Scenario } from '../support/scenario.ts'

/** What a group here has nothing for, and what it says of that; LEADER stands for its address, CLUSTER and BROKER for names. */
const refused: readonly { readonly command: string; readonly says: RegExp }[] = [
  { command: 'addBroker -c LEADER -b /none', says: /no broker containers/ },
  { command: 'removeBroker -c LEADER -b CLUSTER:BROKER:1', says: /no broker containers/ },
  { command: 'getControllerMetaData -a LEADER', says: /no controller: Raft elects/ },
  { command: 'getControllerConfig -a LEADER', says: /no controller: Raft elects/ },
  { command: 'updateControllerConfig -a LEADER -k a -v b', says: /no controller: Raft elects/ },
  { command: 'electMaster -a LEADER -b 1 -bn BROKER -c CLUSTER', says: /no controller: Raft elects/ },
  { command: 'cleanBrokerMetadata -a LEADER -bn BROKER -c CLUSTER', says: /no controller: Raft elects/ },
  { command: 'getSyncStateSet -a LEADER -b BROKER', says: /no controller: Raft elects/ },
  { command: 'getBrokerEpoch -b BROKER', says: /replicates by Raft/ },
  { command: 'haStatus -b LEADER', says: /replicates by Raft/ },
  { command: 'resetMasterFlushOffset -b LEADER -o 0', says: /replicates by Raft/ },
  { command: 'updateStaticTopic -b BROKER -qn 2 -t static-topic', says: /no static topics/ },
  { command: 'getColdDataFlowCtrInfo -b LEADER', says: /no cold data/ },
  { command: 'updateColdDataFlowCtrGroupConfig -b LEADER -g g -v 1', says: /no cold data/ },
  { command: 'removeColdDataFlowCtrGroupConfig -b LEADER -g g', says: /no cold data/ },
  { command: 'setCommitLogReadAheadMode -b LEADER -m 1', says: /no cold data/ },
  { command: 'checkRocksdbCqWriteProgress -c CLUSTER', says: /no RocksDB/ },
  { command: 'rocksDBConfigToJson -c CLUSTER', says: /no RocksDB/ },
  { command: 'switchTimerEngine -b LEADER -e R', says: /one timer engine/ },
  { command: 'getBrokerLiteInfo -b LEADER', says: /no lite topics/ },
  { command: 'listUser -b LEADER', says: /no access control/ },
  { command: 'getUser -b LEADER -u u', says: /no access control/ },
  { command: 'createUser -b LEADER -u u -p p', says: /no access control/ },
  { command: 'updateUser -b LEADER -u u -p p', says: /no access control/ },
  { command: 'deleteUser -b LEADER -u u', says: /no access control/ },
  { command: 'listAcl -b LEADER', says: /no access control/ },
  { command: 'getAcl -b LEADER -s User:u', says: /no access control/ },
  { command: 'deleteAcl -b LEADER -s User:u', says: /no access control/ },
]

export const adminRefusals: readonly Scenario[] = [
  {
    name: 'mqadmin is told why of every command that is not supported',
    skip: (target) => (target.name === 'raftmq' ? undefined : 'stock brokers have most of it'),
    async run(context) {
      const { namesrv, cluster, brokers } = context.target
      const words = { LEADER: await leaderAddress(namesrv), CLUSTER: cluster, BROKER: brokers[0] ?? '' }
      const filled = (command: string): string[] =>
        Object.entries(words)
          .reduce((text, [name, value]) => text.replaceAll(name, value), command)
          .split(' ')
      const printed = await mqadminAll(
        namesrv,
        refused.map(({ command }) => filled(command)),
      )
      const silent = refused.flatMap(({ command, says }, at) =>
        says.test(printed[at] ?? '') ? [] : [`${command}\n${(printed[at] ?? '').slice(0, 600)}`],
      )
      assert.equal(silent.length, 0, `${silent.length} of ${refused.length} are not told:\n${silent.join('\n\n')}`)
      context.note(`${refused.length} commands`)
    },
  },
]

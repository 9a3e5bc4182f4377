/**
 * What is asked of mqadmin against both brokers. Not here: startMonitoring, which prints nothing and never ends; what is not
 * supported (`admin-refusals.ts`); dumpCompactionLog and exportMetadataInRocksDB, which read files of their own machine.
 */

/** Where a command is run: words of the table's commands stand for these. */
export interface Place {
  readonly leader: string
  readonly cluster: string
  readonly broker: string
  readonly topic: string
  readonly group: string
  readonly idle: string
  readonly made: string
  readonly producers: string
  readonly messageId: string
  /** The id of the same message by its place in the log. */
  readonly storedId: string
  /** A folder with the files that commands read. */
  readonly folder: string
}

export interface Row {
  readonly command: string
  /** Numbers differ from run to run: only where they stand is compared. */
  readonly isCounting?: boolean
  /** Lines in any order, of which there may be more than stock prints. */
  readonly mayAdd?: boolean
  /** Lines that only stock prints: of what a group here has not. */
  readonly lacks?: RegExp
  /** Of `key: value` only the keys are compared. */
  readonly keysOnly?: boolean
  /** Why it does not print the same; it must print something, and no stack trace unless stock does too. */
  readonly differs?: string
}

/** What is compared, in this order: commands that change something are looked at by those behind them. */
export const table: readonly Row[] = [
  { command: 'updateTopic -c CLUSTER -t MADE -r 3 -w 3' },
  { command: 'updateTopicPerm -c CLUSTER -t MADE -p 4' },
  { command: 'updateTopicList -c CLUSTER -f FOLDER/topics.json' },
  { command: 'updateSubGroupList -c CLUSTER -f FOLDER/groups.json' },
  { command: 'topicList', mayAdd: true, lacks: /_ROCKSDB_/ },
  { command: 'topicList -c', mayAdd: true, lacks: /_ROCKSDB_/ },
  { command: 'clusterList', isCounting: true },
  { command: 'clusterList -m', isCounting: true },
  { command: 'topicRoute -t TOPIC -l' },
  { command: 'topicStatus -t TOPIC' },
  { command: 'topicClusterList -t TOPIC' },
  { command: 'allocateMQ -t TOPIC -i 127.0.0.1,127.0.0.2' },
  { command: 'updateOrderConf -t MADE -v BROKER:3 -m put' },
  { command: 'updateOrderConf -t MADE -m get' },
  { command: 'updateOrderConf -t MADE -m delete' },
  { command: 'deleteTopic -c CLUSTER -t MADE' },
  { command: 'updateSubGroup -c CLUSTER -g MADE -r 3' },
  { command: 'getConsumerConfig -g MADE' },
  { command: 'setConsumeMode -c CLUSTER -t TOPIC -g MADE -m POP -q 8' },
  { command: 'deleteSubGroup -c CLUSTER -g MADE -r true' },
  { command: 'consumerProgress -g GROUP', isCounting: true },
  { command: 'consumerStatus -g GROUP', isCounting: true },
  { command: 'cleanExpiredCQ -b LEADER' },
  { command: 'cleanUnusedTopic -b LEADER' },
  { command: 'deleteExpiredCommitLog -b LEADER' },
  { command: 'updateBrokerConfig -b LEADER -k brokerPermission -v 6' },
  { command: 'sendMsgStatus -b BROKER -c 1', isCounting: true },
  { command: 'brokerConsumeStats -b LEADER', isCounting: true },
  { command: 'queryMsgById -t TOPIC -i STORED' },
  { command: 'queryMsgByKey -t TOPIC -k k-1' },
  { command: 'queryMsgByUniqueKey -t TOPIC -i MESSAGE' },
  { command: 'queryMsgByOffset -t TOPIC -b BROKER -i 0 -o 0' },
  { command: 'printMsg -t TOPIC' },
  { command: 'printMsgByQueue -t TOPIC -a BROKER -i 0 -p true' },
  { command: 'consumeMessage -t TOPIC -b BROKER -i 0 -o 0 -c 1' },
  { command: 'sendMessage -t TOPIC -p hello -b BROKER -i 0' },
  { command: 'checkMsgSendRT -t TOPIC -a 2 -s 10', isCounting: true },
  { command: 'consumerConnection -g GROUP' },
  { command: 'producerConnection -g PRODUCERS -t TOPIC' },
  { command: 'producer -b LEADER' },
  { command: 'resetOffsetByTime -g IDLE -t TOPIC -s -1' },
  { command: 'resetOffsetByTime -g IDLE -t TOPIC -b LEADER -q 0 -s -1 -o 1' },
  { command: 'skipAccumulatedMessage -g IDLE -t TOPIC' },
  { command: 'cloneGroupOffset -s GROUP -d IDLE -t TOPIC' },
  { command: 'queryCq -t TOPIC -q 0 -i 0 -c 1 -b LEADER', isCounting: true },
  { command: 'brokerStatus -b LEADER', mayAdd: true, keysOnly: true, lacks: /TransientStore|DiskRatio_/ },
  { command: 'getBrokerConfig -b LEADER', differs: 'the keys are those of docs/options.md' },
  { command: 'getNamesrvConfig', differs: 'the keys are those of docs/options.md' },
  { command: 'updateNamesrvConfig -k orderMessageEnable -v true' },
  { command: 'exportMetadata -c CLUSTER -f FOLDER' },
  { command: 'exportConfigs -c CLUSTER -f FOLDER' },
  { command: 'exportMetrics -c CLUSTER -f FOLDER' },
  { command: 'exportPopRecord -b LEADER' },
  { command: 'updateKvConfig -s tests -k one -v 1' },
  { command: 'deleteKvConfig -s tests -k one' },
  { command: 'wipeWritePerm -b BROKER', isCounting: true },
  { command: 'addWritePerm -b BROKER', isCounting: true },
  { command: 'statsAll -a -t TOPIC', isCounting: true },
]

import { expect, test } from 'vitest'
import { errorMessage } from '../../src/lib/errors.ts'
import { parseProperties } from '../../src/lib/properties.ts'
import { LiveOptions } from '../../src/namesrv/live-options.ts'
import {
  formatNamesrvOptions,
  knowledgeOfNamesrvKey,
  namesrvOptionTable,
  namesrvUnsupported,
  namesrvWithoutMeaning,
  otherNamesrvKeys,
  readNamesrvOptions,
} from '../../src/namesrv/options.ts'
import { MemoryFiles } from './memory-files.ts'

const machine = { homeFolder: '/home/mq' }
const read = (text: string, configFile?: string): ReturnType<typeof readNamesrvOptions> =>
  readNamesrvOptions(parseProperties(text, 'namesrv.conf'), { ...machine, configFile })

test('without a file the defaults are RocketMQ’s', () => {
  const { options, warnings } = read('')
  expect(warnings).toEqual([])
  expect(options).toMatchObject({
    listenPort: 9876,
    bindAddress: '0.0.0.0',
    kvConfigPath: '/home/mq/namesrv/kvConfig.json',
    configStorePath: '/home/mq/namesrv/namesrv.properties',
    orderMessageEnable: false,
    returnOrderTopicConfigToBroker: true,
    scanNotActiveBrokerInterval: 5000,
    serverChannelMaxIdleTimeSeconds: 120,
  })
})

test('the file given is where changes go', () => {
  expect(read('configStorePath=/elsewhere', '/etc/namesrv.conf').options.configStorePath).toBe('/etc/namesrv.conf')
})

test('an impossible value is named with file, line, key and what is allowed', () => {
  expect(() => read('bindAddress=0.0.0.0\nlistenPort=ninety')).toThrow(
    'namesrv.conf:2: listenPort is "ninety", it must be an integer from 0 to 65535',
  )
})

test('keys that change nothing are named, those that need not change anything are not', () => {
  const { warnings } = read(
    'clientRequestThreadPoolNums=8\nenableControllerInNamesrv=true\nclusterTest=false\nuseTLS=TRUE\nnonsense=1',
  )
  expect(warnings).toEqual([
    'namesrv.conf:2: enableControllerInNamesrv is not supported and changes nothing: groups elect by Raft: no controller',
    'namesrv.conf:4: useTLS is not supported and changes nothing: no TLS yet, and no SOCKS proxy',
    'namesrv.conf:5: nonsense is not a key of a name server and changes nothing',
  ])
})

test('every key is known in one way only', () => {
  const listed = [
    ...Object.keys(namesrvOptionTable),
    ...namesrvWithoutMeaning.flatMap(([, keys]) => keys.split(/\s+/).filter(Boolean)),
    ...namesrvUnsupported.flatMap(([, pairs]) =>
      pairs
        .split(/\s+/)
        .filter(Boolean)
        .map((pair) => pair.split('=')[0]),
    ),
  ]
  expect(listed.length).toBe(new Set(listed).size)
  expect([...otherNamesrvKeys()].length).toBe(listed.length - Object.keys(namesrvOptionTable).length)
  expect(knowledgeOfNamesrvKey('listenPort').class).toBe('honoured')
  expect(knowledgeOfNamesrvKey('listenport').class).toBe('unknown')
})

test('the effective configuration is itself a file that says the same', () => {
  const { options } = read('listenPort=1234\nconfigBlackList=a;b')
  const text = formatNamesrvOptions(options)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')
  expect(read(text).options).toEqual(options)
})

test('a change counts at once and is written down, but for what the black list holds', () => {
  const files = new MemoryFiles()
  const live = new LiveOptions({ files, options: read('configBlackList=listenPort').options })
  live.change('orderMessageEnable=true\nwaitSecondsForService = 7')
  expect(live.current).toMatchObject({ orderMessageEnable: true, waitSecondsForService: 7 })
  const stored = files.texts.get('/home/mq/namesrv/namesrv.properties') ?? ''
  expect(read(stored).options).toEqual(live.current)
  const before = live.current
  const refused = [
    'listenPort=1',
    'kvConfigPath=/x',
    'configBlackList=',
    'orderMessageEnable=maybe',
    'nonsense=1',
    'listenport=1',
    'useTLS=true',
  ].map((text) => messageOf(() => live.change(text)))
  expect(refused).toEqual([
    'Can not update config in black list.',
    'Can not update config in black list.',
    'Can not update config in black list.',
    'the request:1: orderMessageEnable is "maybe", it must be true or false',
    'a name server has no nonsense',
    'a name server has no listenport; did you mean listenPort?',
    expect.stringMatching(/^useTLS changes nothing here: no TLS yet/),
  ])
  files.failWith = new Error('read-only file system')
  expect(messageOf(() => live.change('orderMessageEnable=false'))).toContain('read-only file system')
  expect(live.current).toBe(before)
})

function messageOf(run: () => void): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return errorMessage(error)
  }
}

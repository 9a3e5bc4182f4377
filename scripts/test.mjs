// npm test: installs and builds what is missing, then all tests that need only Node. Arguments go to vitest
// (npm test -- test/raft, npm test -- --coverage).
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { build, install, main, readJson, root, runNode, summary, tool } from './steps.mjs'

const hasFailed = ({ status }) => status === 'failed'

/** A file that could not be loaded, or whose hooks failed: none of its tests did, and it counts as one that failed. */
const isBroken = (file) => hasFailed(file) && !file.assertionResults.some(hasFailed)

let isRefused = false

await main(async (args) => {
  await install()
  await build()
  const folder = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
  try {
    const results = join(folder, 'results.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
    const code = await runNode(tool('vitest'), ['run', ...reporters, ...args], { rewriteErrors: plainly })
    // It had nothing to run: it said its usage, or which argument is wrong.
    if (!existsSync(results)) return code
    const report = readJson(results)
    for (const line of failures(report)) console.log(line)
    console.log(summary(counts(report)))
    return code
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** Of an option that it does not know vitest makes a stack trace, and ends: shown is the line that says so. */
function plainly(text) {
  if (isRefused) return ''
  const [, refusal] = /^CACError: (.+)$/m.exec(text) ?? []
  isRefused = refusal !== undefined
  return isRefused ? `${refusal}\n` : text
}

function counts({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  return {
    passed: numPassedTests,
    failed: numFailedTests + testResults.filter(isBroken).length,
    skipped: numPendingTests + numTodoTests,
  }
}

/** One line for everything that failed, so that the end of a long output says it. */
function failures({ testResults }) {
  return testResults.flatMap((file) => {
    const line = (name, text = '') => `✗ ${relative(root, file.name)} ${name}: ${text.split('\n')[0]}`
    if (isBroken(file)) return [line('cannot be run', file.message)]
    return file.assertionResults.filter(hasFailed).map((test) => line(test.fullName, test.failureMessages[0]))
  })
}

// npm test: installs and builds what is missing, then all tests that need only Node. Arguments go to vitest
// (npm test -- test/raft, npm test -- --coverage).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { build, install, main, readJson, root, runNode, summary, tool } from './steps.mjs'

await main(async (args) => {
  await install()
  await build()
  const folder = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
  try {
    const results = join(folder, 'results.json')
    const code = await runNode(tool('vitest'), [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${results}`,
      ...args,
    ])
    const report = readJson(results)
    for (const line of failures(report)) console.log(line)
    console.log(summary(counts(report)))
    return code
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** A file that could not be loaded has no tests and counts as one that failed. */
function counts({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    skipped: numPendingTests + numTodoTests,
  }
}

/** One line for everything that failed, so that the end of a long output says it. */
function failures({ testResults }) {
  return testResults.flatMap(({ name: file, status, message, assertionResults }) => {
    const line = (name, text = '') => `✗ ${relative(root, file)} ${name}: ${text.split('\n')[0]}`
    if (status === 'failed' && assertionResults.length === 0) return [line('cannot be run', message)]
    return assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => line(test.fullName, test.failureMessages[0]))
  })
}

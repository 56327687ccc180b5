import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Input, Segmented } from 'antd'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, ifMatch, tagged } from '../../api/client'
import { servicesQuery } from '../../api/queries'
import { Act } from '../../parts/act'
import { Field } from '../../parts/field'
import { Loaded } from '../../parts/loaded'
import { Nothing, Sheet } from '../../parts/page'
import { say } from '../../parts/toast'
import { PolicyForm } from './policy-form'
import { hasComments, read, type Tree, write } from './policy-text'
import { policyQuery } from './queries'

export function Policies({ may }: { may: boolean }) {
  const { t } = useTranslation()
  const services = useQuery(servicesQuery)
  const [chosen, setChosen] = useState<string>()
  return (
    <Loaded of={services}>
      {(all) => {
        const environments = [...new Set(all.flatMap((s) => s.environments.map((e) => e.name)))].sort()
        const env = chosen ?? environments.find((name) => name === 'production') ?? environments[0]
        if (env === undefined)
          return (
            <Sheet>
              <Nothing title={t('people:no_environments')}>{t('people:no_environments_yet')}</Nothing>
            </Sheet>
          )
        return (
          <Sheet
            title={t('people:policy_of', { env })}
            extra={environments.length > 1 && <Segmented value={env} options={environments} onChange={setChosen} aria-label={t('people:environment')} />}
          >
            <p className="soft">{t('people:policy_says')}</p>
            <Environment key={env} env={env} may={may} />
          </Sheet>
        )
      }}
    </Loaded>
  )
}

function Environment({ env, may }: { env: string; may: boolean }) {
  const policy = useQuery(policyQuery(env))
  return <Loaded of={policy}>{({ text, tag }) => (may ? <Editor env={env} stored={text} tag={tag} /> : <Text text={text} />)}</Loaded>
}

const treeOf = (text: string): { [key: string]: Tree } | undefined => {
  try {
    return read(text)
  } catch {
    return undefined
  }
}

function Text({ text }: { text: string }) {
  const { t } = useTranslation()
  if (text.trim() === '') return <Nothing title={t('people:policy_empty')}>{t('people:policy_empty_says')}</Nothing>
  return <pre className="policy-shown">{text}</pre>
}

function Editor({ env, stored, tag }: { env: string; stored: string; tag: string | undefined }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  // What was stored when the editing began: the answer to whether somebody else changed it meanwhile.
  const [base, setBase] = useState(stored)
  // By which the server knows it: what somebody else wrote since is not overwritten.
  const [baseTag, setBaseTag] = useState(tag)
  const [draft, setDraft] = useState(stored)
  const changed = draft !== base
  const overtaken = stored !== base
  useEffect(() => {
    if (changed) return
    setBase(stored)
    setBaseTag(tag)
    setDraft(stored)
  }, [changed, stored, tag])
  const tree = treeOf(draft)

  const set = async (text: string, reason: string, over: string | undefined): Promise<string | undefined> => {
    try {
      const put = await tagged(api.PUT('/api/v1/environments/{env}/policy', { params: { path: { env } }, body: { text, reason }, ...ifMatch(over) }))
      setBase(text)
      setBaseTag(put.tag)
      setDraft(text)
      return put.tag
    } finally {
      // Also where it was refused: what is there now is shown beside the draft.
      await client.invalidateQueries({ queryKey: ['policies', env] })
    }
  }
  const save = async (reason: string): Promise<void> => {
    const put = await set(draft, reason, baseTag)
    say(t('people:policy_set'), { undo: async () => void (await set(base, t('people:policy_undo_reason'), put)) })
  }

  return (
    <>
      {overtaken && changed && (
        <Alert
          type="warning"
          showIcon
          style={{ marginBottom: '0.75rem' }}
          title={t('people:policy_overtaken')}
          description={<pre>{stored || t('people:policy_empty')}</pre>}
          action={
            <>
              <Button size="small" onClick={() => { setBase(stored); setBaseTag(tag); setDraft(stored) }}>{t('people:policy_theirs')}</Button>{' '}
              <Button size="small" onClick={() => { setBase(stored); setBaseTag(tag) }}>{t('people:policy_mine')}</Button>
            </>
          }
        />
      )}
      <div className="policy">
        <div>
          {tree ? (
            <PolicyForm tree={tree} set={(next) => setDraft(write(next))} />
          ) : (
            <Alert type="info" showIcon title={t('people:policy_unread')} description={t('people:policy_unread_says')} />
          )}
        </div>
        <div className="policy-text">
          <Field label={t('people:policy_text')} hint={hasComments(draft) ? t('people:policy_comments') : undefined}>
            {(id) => (
              <Input.TextArea id={id} value={draft} rows={Math.min(30, Math.max(12, draft.split('\n').length + 1))} spellCheck={false} placeholder={t('people:policy_empty')} onChange={(e) => setDraft(e.target.value)} />
            )}
          </Field>
          <div className="sheet-do">
            <Act
              label={t('people:policy_save')}
              primary
              reason="needed"
              refused={changed ? undefined : t('people:policy_unchanged')}
              says={draft.trim() ? t('people:policy_save_says', { env }) : t('people:policy_clear_says', { env })}
              perform={save}
            />
            {changed && <Button onClick={() => setDraft(base)}>{t('people:as_it_was')}</Button>}
          </div>
        </div>
      </div>
    </>
  )
}

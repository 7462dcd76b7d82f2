#!/usr/bin/env python3
"""Checks what `muster checkpoint`, `muster prove` and `muster export` made, with nothing but Python's standard library.

usage: check-proof.py FILE [--key KEY] [--checkpoint NOTE] [--export EXPORT]

It shares no code with Muster: the formats are those of Sources/Audit/Formats.md. Rows of JSON Lines are made again from
the stored commits and compared as JSON values. Exit code 0: it holds; 1: it does not; 2: wrong usage.
"""
import argparse, base64, hashlib, json, re, sys, zlib
from datetime import datetime, timedelta, timezone

class Bad(Exception): pass

def need(condition, problem):
    if not condition: raise Bad(problem)

def sha(data): return hashlib.sha256(data).digest()
def leaf_hash(data): return sha(b'\0' + data)
def node_hash(left, right): return sha(b'\1' + left + right)

# Ed25519 (RFC 8032), verification only.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

def recover_x(y, sign):
    if y >= P: return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square: x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign): return None
    return P - x if x & 1 != sign else x

def add(a, b):
    A, B = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    C, E = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = B - A, E - C, E + C, B + A
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1: result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result

def point(data):
    y = int.from_bytes(data, 'little')
    x = recover_x(y & (2**255 - 1), y >> 255)
    return None if x is None else (x, y & (2**255 - 1), 1, x * (y & (2**255 - 1)) % P)

BASE_Y = 4 * pow(5, -1, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)

def signed_by(public, message, signature):
    key, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], 'little')
    if len(signature) != 64 or key is None or r is None or s >= L: return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), 'little') % L
    a, b = times(s, BASE), add(r, times(k, key))
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0

# Signed notes and checkpoints (C2SP).
def unbase64(text):
    try: data = base64.b64decode(text, validate=True)
    except ValueError: raise Bad('something is not base 64')
    need(base64.b64encode(data) == (text if isinstance(text, bytes) else text.encode()), 'base 64 is not canonical')
    return data

class Note:
    def __init__(self, data):
        end = data.rfind(b'\n\n')
        need(end >= 0 and data.endswith(b'\n') and end + 2 < len(data), 'there is no signed note')
        self.text, self.signatures = data[:end + 1], []
        for line in data[end + 2:-1].split(b'\n'):
            match = re.fullmatch('— ([^ +]+) ([A-Za-z0-9+/=]+)'.encode(), line)
            need(match, 'a line of signature is malformed')
            self.signatures.append((match[1], unbase64(match[2])))
        lines = self.text.decode('utf-8').split('\n')[:-1]
        need(len(lines) >= 3 and all(lines) and re.fullmatch('0|[1-9][0-9]*', lines[1]), 'the note is no checkpoint')
        self.origin, self.size, self.root = lines[0], int(lines[1]), unbase64(lines[2])
        need(len(self.root) == 32, 'the root is no SHA-256')
        parents = [line.split(' ') for line in lines[3:] if line.startswith('parent ')]
        self.parent = parents[0][1] if parents else None

    def verify(self, key):
        name, key_id, rest = key.strip().split('+', 2)
        material = unbase64(rest)
        need(len(material) == 33 and material[0] == 1, 'the key is no Ed25519 key')
        mark = sha(name.encode() + b'\n' + material)[:4]
        need(mark.hex() == key_id, 'the id of the key is not that of its name and bytes')
        mine = [data for signer, data in self.signatures if signer == name.encode() and data[:4] == mark]
        need(mine, 'the note is not signed by this key')
        need(all(signed_by(material[1:], self.text, data[4:]) for data in mine), 'the signature does not hold')

# Proofs (RFC 6962 and 9162).
def climb(index, size, path, old, new):
    """Walks from a node to the root: the hash over all of the path, and the one over what stands to the left."""
    node, last = index, size - 1
    for sibling in path:
        need(last > 0, 'the proof is too long')
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1: node, last = node >> 1, last >> 1
        else: new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    need(last == 0, 'the proof is too short')
    return old, new

def check_growth(old, new, path):
    need(old.origin in (new.origin, new.parent), 'the checkpoints are of different logs')
    need(old.size <= new.size, 'the later checkpoint is smaller')
    if old.size in (0, new.size):
        return need(not path and (old.size == 0 or old.root == new.root), 'the log was altered')
    rest, node, last = list(path), old.size - 1, new.size - 1
    need(rest, 'the proof is too short')
    start = old.root if old.size & (old.size - 1) == 0 else rest.pop(0)
    while node & 1: node, last = node >> 1, last >> 1
    need(climb(node, last + 1, rest, start, start) == (old.root, new.root), 'the log was altered')

class Range:
    """A tree that grows to the right: one hash for each bit of its size."""
    def __init__(self): self.size, self.hashes, self.roots = 0, [], {}
    def append(self, value, level):
        need(self.size % (1 << level) == 0, 'a hash stands where it cannot')
        bits = self.size >> level
        while bits & 1: value, bits = node_hash(self.hashes.pop(), value), bits >> 1
        self.hashes.append(value)
        self.size += 1 << level
    def root(self):
        if not self.hashes: return sha(b'')
        value = self.hashes[-1]
        for left in self.hashes[-2::-1]: value = node_hash(left, value)
        return value

# Protocol Buffers.
def varint(data, at):
    value = shift = 0
    while True:
        need(at < len(data) and shift < 70, 'a number is cut off')
        value, shift, at = value | (data[at] & 127) << shift, shift + 7, at + 1
        if data[at - 1] < 128: return value, at

class Message:
    def __init__(self, data):
        self.fields, at = {}, 0
        while at < len(data):
            tag, at = varint(data, at)
            if tag & 7 == 0: value, at = varint(data, at)
            else:
                length, at = (8, at) if tag & 7 == 1 else varint(data, at)
                need(tag & 7 in (1, 2) and at + length <= len(data), 'a message is cut off')
                value, at = data[at:at + length], at + length
            self.fields.setdefault(tag >> 3, []).append(value)
    def all(self, field): return self.fields.get(field, [])
    def number(self, field): return self.all(field)[0] if self.all(field) else 0
    def signed(self, field): return (self.number(field) >> 1) ^ -(self.number(field) & 1)
    def bytes(self, field): return self.all(field)[0] if self.all(field) else b''
    def text(self, field): return self.bytes(field).decode('utf-8')
    def texts(self, field): return [value.decode('utf-8') for value in self.all(field)]
    def message(self, field): return Message(self.bytes(field))
    def messages(self, field): return [Message(value) for value in self.all(field)]
    def numbers(self, field):
        data, at, found = self.bytes(field), 0, []
        while at < len(data):
            value, at = varint(data, at)
            found.append(value)
        return found

# Commits in words. `names` maps (kind, number) to a name.
KINDS = 'person service node controller'.split()
ASSURANCES = 'asserted local-user certificate own'.split()
KEPT = 'logSeconds logBytes snapshotSeconds snapshotBytes'.split()
TYPES = 'text integer boolean bytes'.split()
STEPS = 'catching-up promoted handed-over finished cancelled waiting undoing pausing pruning'.split()
PURPOSES = 'order balance recovery drain'.split()
MODES = 'off running paused'.split()
LEVELS = 'region zone rack host'.split()
REASONS = dict(enumerate('''unstated request heartbeat-missed heartbeat-resumed placement-continued drain-completed
 storage-low storage-recovered leader-lost election unclean-election replica-lost replica-missing draining balance
 move-step move-failed balance-reached replica-misplaced replica-surplus hand-over-failed checksum-mismatch
 host-problem'''.split()))
REASONS.update({27: 'growth', 31: 'checkpoint-refused', 32: 'checkpoint-resumed', 34: 'restored', 35: 'retention',
                36: 'scrub-fault'})
# Event number: its name and its fields, as `name=kind.field`.
EVENTS = {int(number): (name, spec.split()) for number, name, spec in (line.strip().split(' ', 2) for line in '''
 1 ConfigSet +config.1 value=value.2
 2 ShardPlaced shard=shard.1 nodes=nodes.2
 3 LeaderElected shard=shard.1 node=node.2 epoch=number.3
 4 ReplicasOpened node=node.1 shards=shards.2
 5 ReplicaCaughtUp shard=shard.1 node=node.2
 6 ReplicaFellBehind shard=shard.1 node=node.2
 7 ReplicaAdded shard=shard.1 node=node.2
 8 ReplicaPromoted shard=shard.1 node=node.2
 9 ReplicaRemoved shard=shard.1 node=node.2
 10 MoveStarted move=number.1 shard=shard.2 from=node.3 to=node.4 purpose=purpose.5 step=step.6
 11 MoveAdvanced move=number.1 shard=shard.3 step=step.2
 12 NodeSuspected node=node.1 silentMilliseconds=number.2
 13 NodeRecovered node=node.1
 14 NodeDeclaredDown node=node.1 silentMilliseconds=number.2
 15 ElectionStarted shard=shard.1 epoch=number.2
 16 NodeJoined node=text.2 incarnation=one.0 domain=text.3 capacity=pairs.5 address=text.6 +labels.4
 17 NodeRestarted node=node.1 incarnation=number.2 domain=text.3 capacity=pairs.5 address=text.6 +labels.4
 18 NodeLeft node=node.1
 19 NodeCordoned node=node.1
 20 NodeUncordoned node=node.1
 21 NodeDrainRequested node=node.1
 22 NodeDrainCancelled node=node.1
 23 NodeDrained node=node.1
 24 NodeRemoved node=node.1
 25 MaintenanceChanged on=flag.1
 26 BalancingChanged mode=mode.1
 27 HandOverRequested shard=shard.1 node=node.2
 28 ReplicaRebuilding shard=shard.1 node=node.2
 29 MinimumHeld shard=shard.1 raise=number.2
 32 CollectionCreated collection=text.2 tenant=tenant.3 shards=number.7 +policy.4 +labels.5
 33 CollectionChanged collection=collection.1 +policy.2 +labels.3
 34 CollectionDeleted collection=collection.1
 40 SplitStarted move=number.1 shard=shard.2 child=shard.4 +range.6 nodes=nodes.7 purpose=purpose.8
 41 SplitAdvanced move=number.1 shard=shard.3 child=shard.4 step=step.2
 42 ShardSplit move=number.1 shard=shard.2 child=shard.3 shards=number.5
 43 ShardPruned shard=shard.1
 44 ShardCountWanted collection=collection.1 shards=some.2
 48 ConfigKeyAdded key=text.2 scope=scope.3
 49 ConfigDeleted +config.1
 50 SchemaSet key=text.1 +schema.2
 51 TenantKeyErased tenant=owner.1 key=number.2
 64 PrincipalSeen principal=text.2 kind=kind.3
 65 SessionOpened client=text.2
 66 SessionForgotten session=number.1
 67 AlarmRaised alarm=text.1 message=text.2
 68 AlarmCleared alarm=text.1
 69 TenantCreated tenant=text.2
 70 TimelineBegan parentCluster=text.1 parentTimeline=number.2 parentRevision=number.3 parentBlockRevision=number.4 parentChain=bytes.5
 71 RetentionChanged +kept.1
 72 HistoryCut horizon=number.1 digest=digest.3 firstRevision=number.5 chain=bytes.6 root=bytes.7'''.strip().split('\n'))}

def amounts(messages): return ['%s=%d' % (m.text(1), m.number(2)) for m in messages]
def labels(messages): return ['%s=%s' % (m.text(1), m.text(2)) for m in messages]

def rule(m):
    values = ', '.join(m.texts(3))
    return ('%s in (%s)' % (m.text(1), values), '%s not in (%s)' % (m.text(1), values), m.text(1) + ' exists',
            m.text(1) + ' does not exist')[m.number(2)]

class Names:
    def __init__(self): self.known, self.shards = {}, []
    def learn(self, number, event):
        kind = {16: 'node', 32: 'collection', 64: 'principal', 65: 'session', 69: 'tenant'}.get(number)
        if kind: self.known[kind, event.number(1)] = event.text(2)
        if number == 32: self.shards.append((event.number(6), event.number(7), event.number(1)))
        if number == 40: self.known['child', event.number(4)] = (event.number(3), event.number(5))
        if number == 64: self.known['kind', event.number(1)] = KINDS[event.number(3)]
        if number == 48: self.known['config', event.number(1)] = (event.text(2), self.scope(event.message(3)))
    def get(self, kind, number): return self.known.get((kind, number), '#%d' % number)
    def shard(self, number):
        if ('child', number) in self.known:
            collection, index = self.known['child', number]
            return '%s/%d' % (self.get('collection', collection), index)
        for first, count, collection in reversed(self.shards):
            if first <= number < first + count: return '%s/%d' % (self.get('collection', collection), number - first)
        return '#%d' % number
    def owner(self, number): return self.get('tenant', number) if number else 'system'
    def scope(self, scope):
        kind = ('cluster', 'tenant', 'collection', 'node')[scope.number(1)]
        if kind == 'cluster': return kind
        return '%s:%s' % (kind, self.owner(scope.number(2)) if kind == 'tenant' else self.get(kind, scope.number(2)))
    def value(self, m):
        if 5 in m.fields:
            sealed = m.message(5)
            return 'sealed (key %d, %s)' % (sealed.number(2), sealed.bytes(4)[:4].hex())
        if 4 in m.fields: return {'base64': base64.b64encode(m.bytes(4)).decode()}
        return bool(m.number(3)) if 3 in m.fields else m.signed(2) if 2 in m.fields else m.text(1)
    def field(self, kind, m, at):
        number = m.number(at) if isinstance(m.number(at), int) else 0
        if kind in ('node', 'collection'): return self.get(kind, number) if number or kind != 'node' else None
        return {'text': lambda: m.text(at), 'number': lambda: number, 'one': lambda: 1, 'some': lambda: number or None, 'flag': lambda: bool(number),
                'shard': lambda: self.shard(number), 'nodes': lambda: [self.get('node', n) for n in m.numbers(at)],
                'shards': lambda: [self.shard(n) for n in m.numbers(at)], 'pairs': lambda: amounts(m.messages(at)),
                'step': lambda: STEPS[number], 'purpose': lambda: PURPOSES[number], 'mode': lambda: MODES[number],
                'kind': lambda: KINDS[number], 'tenant': lambda: self.known.get(('tenant', number), ''),
                'owner': lambda: self.owner(number), 'scope': lambda: self.scope(m.message(at)),
                'value': lambda: self.value(m.message(at)), 'digest': lambda: (m.bytes(at) + m.bytes(at + 1)).hex(),
                'bytes': lambda: {'base64': base64.b64encode(m.bytes(at)).decode()} if m.bytes(at) else None}[kind]()
    def more(self, kind, m, at):
        if kind == 'labels': return {'labels': labels(m.messages(at))} if m.all(at) else {}
        if kind == 'config':
            if ('config', m.number(at)) not in self.known: return {'config': m.number(at)}
            return dict(zip(('key', 'scope'), self.known['config', m.number(at)]))
        inner = m.message(at)
        if kind == 'kept': return {name: inner.number(n + 1) for n, name in enumerate(KEPT)}
        if kind == 'range': return {'residue': inner.number(1), 'modulus': inner.number(2)}
        if kind == 'schema':
            limit = lambda field: inner.signed(field) if field in inner.fields else None
            return {'valueType': TYPES[inner.number(1)], 'minimum': limit(2), 'maximum': limit(3),
                    'allowed': inner.texts(4), 'description': inner.text(5), 'sensitive': bool(inner.number(6))}
        return {'replicas': inner.number(1),
                'spread': [LEVELS[s.number(1)] + (':prefer' if s.number(2) else '') for s in inner.messages(2)],
                'require': labels(inner.messages(3)) + [rule(r) for r in inner.messages(7)], 'apart': inner.texts(9),
                'leadOn': [rule(r) for r in inner.messages(8)], 'weights': amounts(inner.messages(4)),
                'minInSync': inner.number(5), 'uncleanElection': bool(inner.number(6))}
    def event(self, number, event):
        name, spec = EVENTS[number]
        row = {'type': name}
        for part in spec:
            label, source = part.split('=') if '=' in part else (None, part[1:])
            kind, at = source.split('.')
            row.update(self.more(kind, event, int(at)) if label is None else {label: self.field(kind, event, int(at))})
        return row

def moment(microseconds):
    return (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds)).strftime('%Y-%m-%dT%H:%M:%S.%fZ')

def commit_row(commit, names):
    """Learns what the commit names, and shows it as a row of JSON Lines does."""
    events = [(number, Message(data[0])) for data in (m.fields for m in commit.messages(12)) for number, data in data.items()]
    for number, event in events: names.learn(number, event)
    reason, session = commit.message(9), commit.number(6)
    need(all(number in EVENTS for number, _ in events), 'an event is of a kind that this program does not know')
    kind = REASONS.get(reason.number(1))
    return {'revision': commit.number(1), 'time': moment(commit.number(2)),
            'wallTime': moment(max(0, commit.number(2) + commit.signed(3))),
            'principal': names.known.get(('principal', commit.number(4))),
            'principalKind': names.known.get(('kind', commit.number(4)), 'person'),
            'assurance': ASSURANCES[commit.number(5)],
            'requestID': '%s:%d' % (names.get('session', session), commit.number(7)) if session else None,
            'cause': commit.number(8) or None, 'reason': reason.text(2) or (kind if reason.number(1) else None),
            'reasonKind': kind, 'reasonArguments': reason.texts(3),
            'tenant': names.known.get(('tenant', commit.number(10))), 'traceParent': commit.text(11) or None,
            'events': [names.event(number, event) for number, event in events]}

# Files.
def records(data):
    at = 0
    while at < len(data):
        length, at = varint(data, at)
        need(length <= 2 << 20 and at + length <= len(data), 'a record is cut off')
        yield Message(data[at:at + length])
        at += length

def covering(start, end):
    while start < end:
        level = (end - start).bit_length() - 1
        if start: level = min(level, (start & -start).bit_length() - 1)
        yield level
        start += 1 << level

def check_export(data, path, held_size):
    tree, names, note, shown, format, rows, row = Range(), Names(), None, 0, None, iter(()), None
    for record in records(data):
        need(note is None, 'something stands behind the checkpoint')
        if format is None:
            format = record.text(1)
            if format == 'jsonl': rows = (json.loads(line) for line in open(path, encoding='utf-8'))
            row = next(rows, None)
        elif record.bytes(4): note = Note(record.bytes(4))
        else:
            unpack = zlib.decompressobj()
            raw = unpack.decompress(record.bytes(2), 2 << 20)
            need(unpack.eof and len(raw) == record.number(3), 'a part cannot be expanded')
            part, at, count = Message(raw), 0, 0
            if part.bytes(3):
                levels, hashes = list(covering(tree.size, tree.size + part.number(1))), part.bytes(3)
                need(len(hashes) == 32 * len(levels), 'a gap has more or fewer hashes than it needs')
                for place, level in enumerate(levels):
                    tree.append(hashes[32 * place:32 * place + 32], level)
                    if tree.size == held_size: tree.roots[held_size] = tree.root()
                continue
            while at < len(part.bytes(2)):
                length, at = varint(part.bytes(2), at)
                stored, at, count = part.bytes(2)[at:at + length], at + length, count + 1
                commit = Message(stored)
                need(commit.number(1) == tree.size + 1, 'a commit stands where it does not belong')
                tree.append(leaf_hash(stored), 0)
                if tree.size == held_size: tree.roots[held_size] = tree.root()
                made = commit_row(commit, names)
                if row is None or row.get('revision') != tree.size: continue
                if row != made and commit.number(6): made['requestID'] = '#%d:%d' % (commit.number(6), commit.number(7))
                need(row == made, 'the row of revision %d is not what its commit says' % tree.size)
                shown, row = shown + 1, next(rows, None)
            need(count == part.number(1), 'a part has more or fewer commits than it says')
    need(note is not None, 'the proof ends before its checkpoint')
    need(tree.size == note.size and tree.root() == note.root, 'the commits are not those of the checkpoint')
    need(row is None, 'the export has a row that is not proved')
    if format != 'jsonl': return note, tree, 'the commits are in the log; rows of the format %s are not compared' % format
    what = 'all of the log is shown' if shown == note.size else 'that none is missing is not proved'
    return note, tree, '%d rows say what was logged; %s' % (shown, what)

def check(arguments):
    data, tree = open(arguments.file, 'rb').read(), None
    held = Note(open(arguments.checkpoint, 'rb').read()) if arguments.checkpoint else None
    heading, _, rest = data.partition(b'\n')
    if heading == b'muster/export-proof@v1':
        path = arguments.export or re.sub(r'\.proof$', '', arguments.file)
        note, tree, words = check_export(rest, path, held.size if held else None)
    elif heading in (b'c2sp.org/tlog-proof@v1', b'muster/growth-proof@v1'):
        head, _, tail = rest.partition(b'\n\n')
        lines, note = head.decode('ascii').split('\n'), Note(tail)
        if heading.startswith(b'c2sp'):
            need(len(lines) >= 2 and lines[0].startswith('extra ') and lines[1].startswith('index '), 'no proof of a commit')
            index, value = int(lines[1][6:]), leaf_hash(unbase64(lines[0][6:]))
            need(0 <= index < note.size, 'the commit is beyond the checkpoint')
            path = [unbase64(line) for line in lines[2:]]
            need(climb(index, note.size, path, value, value)[1] == note.root, 'the commit is not in the log')
            words = 'revision %d is in the log of %d commits' % (index + 1, note.size)
        else:
            need(lines[0].startswith('old '), 'no proof of growth')
            old = Note(unbase64(lines[0][4:]))
            check_growth(old, note, [unbase64(line) for line in lines[1:]])
            if held and (held.origin, held.size, held.root) == (old.origin, old.size, old.root): held = note
            if arguments.key: old.verify(arguments.key)
            words = 'the log of %d commits goes on from that of %d' % (note.size, old.size)
    else: note, words = Note(data), 'a checkpoint'
    if arguments.key: note.verify(arguments.key)
    if held:
        need(held.origin in (note.origin, note.parent), 'your checkpoint is of another log')
        root = tree.roots.get(held.size) if tree else None
        need(root or held.size == note.size, 'your checkpoint is of %d commits, the proof of %d' % (held.size, note.size))
        need(held.root == (root or note.root), 'your checkpoint has another root: the log was altered')
    if not held and not arguments.key: print('nothing vouches for the checkpoint: give --key or --checkpoint', file=sys.stderr)
    print('ok: %s (%s, %d)' % (words, note.origin, note.size))

def main():
    parser = argparse.ArgumentParser(description='Checks checkpoints and proofs of Muster.')
    parser.add_argument('file')
    for name in ('key', 'checkpoint', 'export'): parser.add_argument('--' + name)
    try: check(parser.parse_args())
    except (Bad, OSError, ValueError, KeyError, IndexError, AttributeError, TypeError, zlib.error, OverflowError) as error:
        print('does not hold: %s' % error, file=sys.stderr)
        sys.exit(1)

main()

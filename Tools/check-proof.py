#!/usr/bin/env python3
"""Checks what `muster checkpoint`, `muster prove` and `muster export` made, with nothing but Python's standard library.

usage: check-proof.py FILE [--key KEY] [--checkpoint NOTE] [--export EXPORT]

It shares no code with Muster: the formats are those of Sources/Audit/Formats.md, and how rows show what is stored says
check-proof.tables. The rows of an export, whatever its format, are made again from the stored commits and compared value by
value. Exit code 0: it holds; 1: it does not; 2: wrong usage.
"""
import argparse, base64, csv, hashlib, itertools, json, os, re, sqlite3, sys, zlib
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

def pieces(data, limit=1 << 30):
    """What stands behind its length, one after the other."""
    at = 0
    while at < len(data):
        length, at = varint(data, at)
        need(length <= limit and at + length <= len(data), 'something is cut off')
        yield data[at:at + length]
        at += length

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

# Commits in words.
LIST, REASON, EVENT, MESSAGE = {}, {}, {}, {}
def fields(parts): return [re.fullmatch(r'(.*?)[=+](\w+)\.(\d+)', part).groups() for part in parts]
for line in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'check-proof.tables'), encoding='ascii'):
    word, name, *rest = line.split() + ['']
    if word == 'list': LIST[name] = rest[:-1]
    if word == 'reason': REASON[int(name)] = rest[0]
    if word == 'message': MESSAGE[name] = fields(rest[:-1])
    if word == 'event': EVENT[int(name)] = (rest[0], fields(rest[1:-1]))

def moment(microseconds):
    return (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds)).strftime('%Y-%m-%dT%H:%M:%S.%fZ')
def base(data): return {'base64': base64.b64encode(data).decode()} if data else None
def amounts(messages): return ['%s=%d' % (m.text(1), m.number(2)) for m in messages]
def labels(messages): return ['%s=%s' % (m.text(1), m.text(2)) for m in messages]
def rule(m):
    form = ('%s in (%s)', '%s not in (%s)', '%s exists', '%s does not exist')[m.number(2)]
    return form % ((m.text(1), ', '.join(m.texts(3))) if m.number(2) < 2 else m.text(1))

class Names:
    """What the commits so far named: `known` has it by kind and number."""
    def __init__(self): self.known, self.shards = {}, []
    def learn(self, number, event):
        kind = {16: 'node', 32: 'collection', 64: 'principal', 65: 'session', 69: 'tenant'}.get(number)
        if kind: self.known[kind, event.number(1)] = event.text(2)
        if number == 32: self.shards.append((event.number(6), event.number(7), event.number(1)))
        if number == 40: self.known['child', event.number(4)] = (event.number(3), event.number(5))
        if number == 64: self.known['kind', event.number(1)] = LIST['kinds'][event.number(3)]
        if number == 48: self.known['config', event.number(1)] = {'key': event.text(2), 'scope': self.scope(event.message(3))}
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
        kind, number = LIST['scopeKinds'][scope.number(1)], scope.number(2)
        return kind if kind == 'cluster' else kind + ':' + (self.owner(number) if kind == 'tenant' else self.get(kind, number))
    def value(self, m):
        if 5 in m.fields: return 'sealed (key %d, %s)' % (m.message(5).number(2), m.message(5).bytes(4)[:4].hex())
        if 4 in m.fields: return {'base64': base64.b64encode(m.bytes(4)).decode()}
        return bool(m.number(3)) if 3 in m.fields else m.signed(2) if 2 in m.fields else m.text(1)
    def fields(self, parts, m):
        """What the tables say that a row shows of a message."""
        row = {}
        for label, form, at in parts:
            at = int(at)
            if label: row[label] = self.field(form, m, at)
            elif form in MESSAGE: row.update(self.fields(MESSAGE[form], m.message(at)))
            elif form == 'config': row.update(self.known.get(('config', m.number(at)), {'config': m.number(at)}))
            elif m.all(at): row[form] = self.field(form, m, at)
        return row
    def field(self, form, m, at):
        number = m.number(at) if isinstance(m.number(at), int) else 0
        if form + 's' in LIST: return LIST[form + 's'][number]
        return {'text': lambda: m.text(at), 'texts': lambda: m.texts(at), 'number': lambda: number, 'one': lambda: 1,
                'some': lambda: number or None, 'flag': lambda: bool(number), 'paused': lambda: bool(number), 'limit': lambda: m.signed(at) if m.all(at) else None,
                'bytes': lambda: base(m.bytes(at)), 'names': lambda: base(m.bytes(at)),
                'digest': lambda: (m.bytes(at) + m.bytes(at + 1)).hex(), 'value': lambda: self.value(m.message(at)),
                'node': lambda: self.get('node', number) if number else None, 'nodes': lambda: [self.get('node', n) for n in m.numbers(at)],
                'shard': lambda: self.shard(number), 'shards': lambda: [self.shard(n) for n in m.numbers(at)],
                'collection': lambda: self.get('collection', number), 'tenant': lambda: self.known.get(('tenant', number), ''),
                'owner': lambda: self.owner(number), 'scope': lambda: self.scope(m.message(at)),
                'amounts': lambda: amounts(m.messages(at)), 'labels': lambda: labels(m.messages(at)),
                'rules': lambda: [rule(r) for r in m.messages(at)],
                'required': lambda: labels(m.messages(at)) + [rule(r) for r in m.messages(at + 4)],
                'spread': lambda: [LIST['levels'][s.number(1)] + (':prefer' if s.number(2) else '') for s in m.messages(at)]}[form]()
    def event(self, number, event):
        need(number in EVENT, 'an event is of a kind that this program does not know')
        return {'type': EVENT[number][0], **self.fields(EVENT[number][1], event)}

def shown(commit, names):
    """Learns what the commit names, and shows it as a row of JSON Lines does; and what other formats show besides."""
    events = [(number, Message(data[0])) for m in commit.messages(12) for number, data in m.fields.items()]
    for number, event in events: names.learn(number, event)
    reason, session, time = commit.message(9), commit.number(6), commit.number(2)
    wall, known = max(0, time + commit.signed(3)), lambda kind, field: names.known.get((kind, commit.number(field)))
    row = {'revision': commit.number(1), 'time': moment(time), 'wallTime': moment(wall), 'principal': known('principal', 4),
           'principalKind': known('kind', 4) or 'person', 'assurance': LIST['assurances'][commit.number(5)],
           'requestID': '%s:%d' % (names.get('session', session), commit.number(7)) if session else None,
           'cause': commit.number(8) or None, 'reason': reason.text(2) or (REASON[reason.number(1)] if reason.number(1) else None),
           'reasonKind': REASON[reason.number(1)], 'reasonArguments': reason.texts(3), 'tenant': known('tenant', 10),
           'traceParent': commit.text(11) or None, 'events': [names.event(number, event) for number, event in events]}
    return row, (time, wall, reason.text(2)), '#%d:%d' % (session, commit.number(7)) if session else None

# Rows. Each format is read as pairs of a revision and a row, and a commit makes the rows that there should be.
def same(value): return json.dumps(value, sort_keys=True)
def unique(pairs):
    need(len(dict(pairs)) == len(pairs), 'a row has a field twice')
    return dict(pairs)
def parsed(text): return json.loads(text, object_pairs_hook=unique)
def data(event): return {name: value for name, value in event.items() if name != 'type'}

def subject(event):
    for field, kind in [(f, 'config' if f == 'key' else f) for f in 'shard key node collection tenant principal client alarm'.split()]:
        if isinstance(event.get(field), str) and event[field]:
            return kind + '/' + event[field] + ('@' + event['scope'] if kind == 'config' and event.get('scope', 'cluster') != 'cluster' else '')
    return 'cluster'

def things(event):
    kinds = {'nodes': 'node', 'from': 'node', 'to': 'node', 'shards': 'shard'}
    for field, value in data(event).items():
        kind = kinds.get(field, field if field in ('node', 'shard', 'collection', 'tenant', 'alarm') else None)
        for name in value if isinstance(value, list) else [value]:
            if kind and isinstance(name, str) and name: yield kind, name
    if subject(event).startswith('config/'): yield 'config', subject(event)[7:]

class JSONLines:
    def __init__(self, path, origin): self.path = path
    def read(self):
        for line in open(self.path, encoding='utf-8', newline='\n'): yield parsed(line)['revision'], same(parsed(line))
    def make(self, row, raw): return [same(row)]

class CSV(JSONLines):
    heading = 'revision,time,wallTime,principal,requestID,cause,reason,tenant,type,fields'.split(',')
    def read(self):
        csv.field_size_limit(1 << 26)
        rows = csv.reader(open(self.path, encoding='utf-8', newline=''), strict=True)
        need(next(rows, None) == self.heading, 'this is no export as CSV')
        for cells in rows: yield int(cells[0]), cells[:-1] + [same(parsed(cells[-1]))]
    def make(self, row, raw):
        head = ['' if row[name] is None else str(row[name]) for name in self.heading[:-2]]
        return [head + [event['type'], same(data(event))] for event in row['events']]

class CloudEvents(JSONLines):
    def __init__(self, path, origin): self.path, (_, self.cluster, self.timeline) = path, origin.split('/')
    def read(self):
        for line in open(self.path, encoding='utf-8', newline='\n'): yield int(parsed(line)['revision']), same(parsed(line))
    def make(self, row, raw):
        optional = {'principal': row['principal'], 'requestid': row['requestID'], 'cause': row['cause'] and str(row['cause']),
                    'reason': raw[2], 'tenant': row['tenant'], 'traceparent': row['traceParent']}
        return [same({'specversion': '1.0', 'id': '%s-%d-%d' % (self.timeline, row['revision'], place),
                      'source': 'urn:muster:cluster:' + self.cluster, 'type': 'muster.' + event['type'], 'time': row['time'],
                      'subject': subject(event), 'datacontenttype': 'application/json', 'revision': str(row['revision']),
                      'dataschema': 'urn:muster:event:1:' + event['type'], 'timeline': self.timeline,
                      'principalkind': row['principalKind'], 'assurance': row['assurance'], 'reasonkind': row['reasonKind'],
                      'data': data(event), **{name: value for name, value in optional.items() if value}})
                for place, event in enumerate(row['events'])]

class SQLite(JSONLines):
    schema = '2d5f68fe659c3f27bf23d16b4622d74c1041e714ae00009281c7b714980d2935'  # SHA-256 of the tables, indexes and views of version 1
    def read(self):
        ask = sqlite3.connect('file:%s?mode=ro' % os.path.abspath(self.path).replace('?', '%3f').replace('#', '%23'), uri=True).execute
        texts = '\n'.join(sql for sql, in ask('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid'))
        need(sha(texts.encode()).hex() == self.schema, 'its tables and views are not those of an export')
        for table, link in (('events', 'revision'), ('event_things', 'revision')):
            stray = ask('SELECT count(*) FROM %s WHERE %s NOT IN (SELECT revision FROM commits)' % (table, link))
            need(stray.fetchone() == (0,), 'it has events without their commit')
        for row in ask('SELECT c.*, p.name, p.kind FROM commits c LEFT JOIN principals p ON p.id = principal ORDER BY revision'):
            revision, time, wall, _, *more, arguments, tenant, trace, name, kind = row
            events = ask('SELECT t.name, fields FROM events JOIN event_types t ON t.id = type WHERE revision = ? ORDER BY place', row[:1])
            events = [(type, same(parsed(fields))) for type, fields in events.fetchall()]
            places = ask('SELECT place FROM events WHERE revision = ? ORDER BY place', row[:1]).fetchall()
            need(places == [(place,) for place in range(len(events))], 'an event of revision %d is not in its place' % revision)
            linked = ask('SELECT place, kind, name FROM event_things JOIN things t ON t.id = thing WHERE revision = ?', row[:1])
            yield revision, [revision, time, wall, *more, same(parsed(arguments)), tenant, trace, name, kind, events, set(linked)]
    def make(self, row, raw):
        names = ['assurance', 'requestID', 'cause', 'reason', 'reasonKind']
        return [[row['revision'], *raw[:2], *(row[name] for name in names), same(row['reasonArguments']), row['tenant'],
                 row['traceParent'], row['principal'], row['principal'] and row['principalKind'],
                 [(event['type'], same(data(event))) for event in row['events']],
                 {(place, *thing) for place, event in enumerate(row['events']) for thing in things(event)}]]

FORMATS = {'jsonl': JSONLines, 'csv': CSV, 'cloudevents': CloudEvents, 'sqlite': SQLite}

# Exports.
def covering(start, end):
    while start < end:
        level = (end - start).bit_length() - 1
        if start: level = min(level, (start & -start).bit_length() - 1)
        yield level
        start += 1 << level

class ExportCheck:
    def __init__(self, path, held_size):
        self.path, self.held_size, self.format, self.origin, self.note = path, held_size, None, None, None
        self.tree, self.cut_names, self.names, self.stated, self.shown = Range(), Range(), Names(), set(), 0
    def run(self, data):
        for record in map(Message, pieces(data, 2 << 20)):
            need(self.note is None, 'something stands behind the checkpoint')
            if self.format is None:
                self.origin, self.format = record.text(5), FORMATS[record.text(1)](self.path, record.text(5))
                self.rows = ((r, [row for _, row in rows]) for r, rows in itertools.groupby(self.format.read(), lambda pair: pair[0]))
                self.row = next(self.rows, None)
            elif record.bytes(4): self.note = Note(record.bytes(4))
            else:
                unpack = zlib.decompressobj()
                raw = unpack.decompress(record.bytes(2), 2 << 20)
                need(unpack.eof and len(raw) == record.number(3), 'a part cannot be expanded')
                self.part(Message(raw))
        need(self.note is not None, 'the proof ends before its checkpoint')
        need((self.tree.size, self.tree.root()) == (self.note.size, self.note.root), 'the commits are not those of the checkpoint')
        need(not self.cut_names.size or self.cut_names.root() in self.stated, 'no commit says that the names of it were given')
        need(self.row is None, 'the export has a row that is not proved')
        need(self.origin == self.note.origin, 'the export is of another log than its checkpoint')
    def part(self, part):
        tree, of_names = (self.cut_names, True) if part.number(4) else (self.tree, False)
        need(not of_names or not self.tree.size, 'names stand behind commits')
        levels, leaves = list(covering(tree.size, tree.size + part.number(1))) if part.bytes(3) else [], 0
        need(len(part.bytes(3)) == 32 * len(levels), 'a gap has more or fewer hashes than it needs')
        for place, level in enumerate(levels): self.grow(tree, part.bytes(3)[32 * place:32 * place + 32], level)
        for stored in pieces(part.bytes(2)):
            message, leaves = Message(stored), leaves + 1
            need(of_names or message.number(1) == tree.size + 1, 'a commit stands where it does not belong')
            self.grow(tree, leaf_hash(stored), 0)
            if of_names:
                for number, event in message.fields.items(): self.names.learn(number, Message(event[0]))
            else: self.commit(message)
        need(levels or leaves == part.number(1), 'a part has more or fewer commits than it says')
        need(not levels or not leaves, 'a part has commits and hashes')
    def grow(self, tree, value, level):
        tree.append(value, level)
        if tree is self.tree and tree.size == self.held_size: tree.roots[tree.size] = tree.root()
    def commit(self, commit):
        row, raw, other = shown(commit, self.names)
        for event in commit.messages(12): self.stated.update(Message(cut).bytes(9) for cut in event.all(72))
        if self.row is None or self.row[0] != row['revision']: return
        # A client that had been forgotten when the export was made is shown by the number of its session.
        holds = any(self.row[1] == self.format.make({**row, 'requestID': name}, raw) for name in (row['requestID'], other))
        need(holds, 'the row of revision %d is not what its commit says' % row['revision'])
        self.shown, self.row = self.shown + 1, next(self.rows, None)

def check(arguments):
    data, tree = open(arguments.file, 'rb').read(), None
    held = Note(open(arguments.checkpoint, 'rb').read()) if arguments.checkpoint else None
    heading, _, rest = data.partition(b'\n')
    if heading == b'muster/export-proof@v1':
        path = arguments.export or re.sub(r'\.proof$', '', arguments.file)
        export = ExportCheck(path, held.size if held else None)
        export.run(rest)
        note, tree = export.note, export.tree
        what = 'all of the log is shown' if export.shown == note.size else 'that none is missing is not proved'
        words = '%d commits are shown and say what was logged; %s' % (export.shown, what)
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
    except (Bad, OSError, ValueError, KeyError, IndexError, AttributeError, TypeError, zlib.error, OverflowError,
            csv.Error, sqlite3.Error) as error:
        print('does not hold: %s' % error, file=sys.stderr)
        sys.exit(1)

main()

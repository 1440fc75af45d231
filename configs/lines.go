package configs

import (
	"strconv"
	"strings"
)

// maxDepth bounds how many parts a key has. The TOML library recurses and
// has no bound of its own.
const maxDepth = 64

// indexLines finds the line on which each key of a TOML text is written,
// array elements included (links.0.lanes), which the TOML library does not
// tell. Of invalid text it makes what it can. It is not ok if the text nests
// too deep for the library to be let at it.
func indexLines(text string) (lines map[string]int, ok bool) {
	s := &scanner{text: text, line: 1, lines: map[string]int{}, elements: map[string]int{}}
	s.document()
	return s.lines, !s.tooDeep
}

// commentsOf returns the comments of a TOML text by the line that they are on.
func commentsOf(text string) map[int]string {
	s := &scanner{text: text, line: 1, lines: map[string]int{}, elements: map[string]int{}, comments: map[int]string{}}
	s.document()
	return s.comments
}

// splitKey reads a dotted key from the front of text; parts is empty if there
// is none.
func splitKey(text string) (parts []string, rest string) {
	s := &scanner{text: text, line: 1}
	parts = s.key()
	return parts, s.text[s.at:]
}

type scanner struct {
	text     string
	at       int // offset of the next byte
	line     int
	lines    map[string]int
	comments map[int]string // by line, without #; nil: they are not kept
	elements map[string]int // how many [[key]] there were so far
	depth    int            // of the table or array around
	tooDeep  bool
}

func (s *scanner) document() {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if strings.HasPrefix(s.text, mark) {
			s.at = len(mark) // the library skips any one byte order mark
			break
		}
	}
	header := ""
	for s.blank(); !s.done() && !s.tooDeep; s.blank() {
		if s.accept("[") {
			header = s.header()
		} else {
			s.pair(header)
		}
		s.restOfLine()
	}
}

// header reads what follows [ and returns the key of the table it opens.
func (s *scanner) header() string {
	array := s.accept("[")
	line := s.line
	s.depth = 0
	parts := s.key()
	if !s.deepen(len(parts)) {
		return ""
	}
	key := s.enter("", parts)
	if s.elements[key] == 0 {
		s.lines[key] = line // before it, only longer keys implied the table
	}
	if array {
		element := join(key, strconv.Itoa(s.elements[key]))
		s.elements[key]++
		s.lines[element] = line
		return element
	}
	return key
}

// pair reads key = value inside a table.
func (s *scanner) pair(table string) {
	parts := s.key()
	defer s.deepen(-len(parts))
	if !s.deepen(len(parts)) {
		return
	}
	key := s.enter(table, parts)
	if s.spaces(); s.accept("=") {
		s.value(key)
	}
}

// deepen goes n levels down, or up again, and tells whether that is still
// allowed.
func (s *scanner) deepen(n int) bool {
	s.depth += n
	s.tooDeep = s.tooDeep || s.depth > maxDepth
	return !s.tooDeep
}

// enter notes every key from table down to parts. Where one on the way is an
// array of tables, its last element is meant.
func (s *scanner) enter(table string, parts []string) string {
	key := table
	for i, part := range parts {
		key = join(key, quoteKey(part))
		s.note(key)
		if n := s.elements[key]; n > 0 && i < len(parts)-1 {
			key = join(key, strconv.Itoa(n-1))
		}
	}
	return key
}

func (s *scanner) note(key string) {
	if _, ok := s.lines[key]; !ok {
		s.lines[key] = s.line
	}
}

// key reads a dotted key, or nothing.
func (s *scanner) key() (parts []string) {
	for {
		s.spaces()
		part, ok := s.keyPart()
		if !ok {
			return nil
		}
		parts = append(parts, part)
		if s.spaces(); !s.accept(".") {
			return parts
		}
	}
}

func (s *scanner) keyPart() (string, bool) {
	start := s.at
	if s.peek() == '"' || s.peek() == '\'' {
		s.quoted(s.peek())
		return unquote(s.text[start:s.at])
	}
	for !s.done() && isBare(s.peek()) {
		s.at++
	}
	return s.text[start:s.at], s.at > start
}

// unquote leaves escapes to the library, so that both read the same key.
func unquote(quoted string) (string, bool) {
	v, err := decodeTOML("key = " + quoted)
	if err != nil {
		return "", false
	}
	key, ok := v["key"].(string)
	return key, ok
}

// value reads a value and notes the keys inside it.
func (s *scanner) value(key string) {
	s.spaces()
	switch {
	case s.accept("["):
		s.array(key)
	case s.accept("{"):
		s.inlineTable(key)
	case s.accept(`"""`):
		s.multiline(`"`)
	case s.accept(`'''`):
		s.multiline(`'`)
	case s.peek() == '"' || s.peek() == '\'':
		s.quoted(s.peek())
	default: // a number, date or boolean
		for !s.done() && !strings.ContainsRune(",]}#\n", rune(s.peek())) {
			s.at++
		}
	}
}

func (s *scanner) array(key string) {
	defer s.deepen(-1)
	if !s.deepen(1) {
		return
	}
	for i := 0; ; i++ {
		if s.blank(); s.done() || s.accept("]") {
			return
		}
		element := join(key, strconv.Itoa(i))
		s.note(element)
		s.value(element)
		if s.blank(); !s.accept(",") && s.peek() != ']' {
			return
		}
	}
}

func (s *scanner) inlineTable(key string) {
	for {
		if s.blank(); s.done() || s.accept("}") {
			return
		}
		s.pair(key)
		if s.blank(); !s.accept(",") && s.peek() != '}' {
			return
		}
	}
}

// quoted skips a string on one line, of either kind of quote.
func (s *scanner) quoted(quote byte) {
	for s.at++; !s.done() && s.peek() != '\n'; s.at++ {
		switch c := s.peek(); {
		case c == quote:
			s.at++
			return
		case c == '\\' && quote == '"' && s.at+1 < len(s.text) && s.text[s.at+1] != '\n':
			s.at++
		}
	}
}

// multiline skips to behind the three closing quotes; up to two more belong
// to the string.
func (s *scanner) multiline(quote string) {
	for !s.done() {
		if s.accept(strings.Repeat(quote, 3)) {
			for range 2 {
				s.accept(quote)
			}
			return
		}
		if s.peek() == '\\' && quote == `"` {
			s.next()
		}
		s.next()
	}
}

// blank skips spaces, newlines and comments.
func (s *scanner) blank() {
	for !s.done() {
		switch s.peek() {
		case ' ', '\t', '\r', '\n':
			s.next()
		case '#':
			s.comment()
		default:
			return
		}
	}
}

func (s *scanner) comment() {
	start := s.at + 1
	for !s.done() && s.peek() != '\n' {
		s.at++
	}
	if s.comments != nil {
		s.comments[s.line] = strings.TrimSpace(s.text[start:s.at])
	}
}

// restOfLine skips what is behind a header or a pair: nothing, or a comment.
func (s *scanner) restOfLine() {
	if s.spaces(); s.peek() == '#' {
		s.comment()
	}
	for !s.done() && s.peek() != '\n' {
		s.at++
	}
}

func (s *scanner) spaces() {
	for !s.done() && (s.peek() == ' ' || s.peek() == '\t') {
		s.at++
	}
}

func (s *scanner) accept(token string) bool {
	if !strings.HasPrefix(s.text[s.at:], token) {
		return false
	}
	s.at += len(token)
	return true
}

func (s *scanner) next() {
	if s.peek() == '\n' {
		s.line++
	}
	if !s.done() {
		s.at++
	}
}

// peek returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.done() {
		return 0
	}
	return s.text[s.at]
}

func (s *scanner) done() bool { return s.at >= len(s.text) }

package hub

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/operator-release/operator-release/ci/git"
)

// Role is what somebody may do with a repository, as GitHub names it.
type Role string

// Roles, the mightiest first. Whoever has none may look, as the repository is public.
const (
	Admin    Role = "admin"
	Maintain Role = "maintain"
	Write    Role = "write"
	Triage   Role = "triage"
	Read     Role = "read"
)

var roles = []Role{Admin, Maintain, Write, Triage, Read, ""}

// may tells whether a role includes another.
func (r Role) may(other Role) bool { return slices.Index(roles, r) <= slices.Index(roles, other) }

// User is somebody with an account.
type User struct {
	Login string
	Token string // which the user logs in by; empty: never
	Role  Role
	Bot   bool // an installation of an app, such as github-actions[bot]: it has no account of its own to ask about
}

// Options say what a hub begins with.
type Options struct {
	Repository string           // OWNER/NAME
	Git        *git.Repository  // in which branches, commits and tags have to be; nil: any is taken for there
	Users      []User           // who may log in, and whom one may name
	Immutable  bool             // whether a release never changes once it is published
	Limit      int              // of requests an hour; 0: 5,000, as GitHub gives to a user
	Clock      func() time.Time // nil: time.Now
}

// Hub is a server. It may be used by several goroutines.
type Hub struct {
	options     Options
	owner, name string
	mux         *http.ServeMux

	mu       sync.Mutex
	last     int64 // id given
	releases []*release
	latest   *release // said to be the latest; nil: nobody said
	pulls    []*pull
	labels   map[string]int64
	writes   []Request
	asked    int // requests since reset
	reset    time.Time
}

// Request is one that was to change something.
type Request struct {
	Method string
	Path   string // below the API's address, with ids that are chance as {id}, and with the name of what is uploaded
	Status int    // of the answer; 0 where there was none
}

// New makes a hub with an empty repository. It serves the API below /api/v3, uploads below /api/uploads, as GitHub Enterprise Server does, and what is
// uploaded at its download address.
func New(o Options) *Hub {
	h := &Hub{options: o, mux: http.NewServeMux(), labels: map[string]int64{}}
	h.owner, h.name, _ = strings.Cut(o.Repository, "/")
	if h.options.Clock == nil {
		h.options.Clock = time.Now
	}
	if h.options.Limit == 0 {
		h.options.Limit = 5000
	}
	const api, repo = "/api/v3", "/api/v3/repos/{owner}/{repo}"
	h.route("GET "+api+"/user", "", h.whoAmI)
	h.route("GET "+repo+"/releases", "", h.listReleases)
	h.route("POST "+repo+"/releases", Write, h.createRelease)
	h.route("GET "+repo+"/releases/{id}", "", h.getRelease)
	h.route("GET "+repo+"/releases/latest", "", h.latestRelease)
	h.route("GET "+repo+"/releases/{id}/{what}", "", h.releaseByTag) // or its assets
	h.route("PATCH "+repo+"/releases/{id}", Write, h.updateRelease)
	h.route("DELETE "+repo+"/releases/{id}", Write, h.deleteRelease)
	h.route("POST /api/uploads/repos/{owner}/{repo}/releases/{id}/assets", Write, h.upload)
	h.route("DELETE "+repo+"/releases/assets/{id}", Write, h.deleteAsset)
	h.route("GET "+repo+"/git/ref/{ref...}", "", h.getRef)
	h.route("GET "+repo+"/pulls", "", h.listPulls)
	h.route("POST "+repo+"/pulls", Write, h.createPull)
	h.route("GET "+repo+"/pulls/{number}", "", h.getPull)
	h.route("PATCH "+repo+"/pulls/{number}", Write, h.updatePull)
	h.route("POST "+repo+"/pulls/{number}/requested_reviewers", Triage, h.requestReviewers)
	h.route("GET "+repo+"/pulls/{number}/reviews", "", h.listReviews)
	h.route("POST "+repo+"/issues/{number}/labels", Triage, h.addLabels)
	h.route("POST "+repo+"/issues/{number}/assignees", Triage, h.addAssignees)
	h.route("GET "+repo+"/issues/{number}/comments", "", h.listComments)
	h.route("POST "+repo+"/issues/{number}/comments", "", h.createComment) // whoever is logged in
	h.route("PATCH "+repo+"/issues/comments/{id}", "", h.updateComment)
	h.route("GET "+repo+"/commits/{sha}/pulls", "", h.pullsWithCommit)
	h.route("GET "+repo+"/collaborators/{login}/permission", Read, h.permission)
	h.mux.HandleFunc("GET /{owner}/{repo}/releases/download/{tag}/{name}", h.download)
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { notFound.write(w) })
	return h
}

// ServeHTTP answers.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Writes are the requests that were to change something, in order.
func (h *Hub) Writes() []Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.writes)
}

// call is one request.
type call struct {
	*http.Request
	user User   // who is logged in; without a login, nobody
	base string // of URLs: http://HOST
	body []byte
}

// answer is what is said to it; a nil body is none.
type answer struct {
	status int
	body   any
	header http.Header
}

// route has requests of a pattern handled, one after the other, where whoever asks has at least the role; none is asked for what everybody may see.
func (h *Hub) route(pattern string, role Role, handle func(*call) answer) {
	method, _, _ := strings.Cut(pattern, " ")
	uploads := strings.Contains(pattern, "/api/uploads/")
	h.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r, base: "http://" + r.Host}
		if r.TLS != nil {
			c.base = "https://" + r.Host
		}
		if !uploads {
			var err error
			if c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20)); err != nil {
				panic(http.ErrAbortHandler) // cut off on the way
			}
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if method != http.MethodGet {
			at := len(h.writes)
			h.writes = append(h.writes, Request{Method: method, Path: nameless(r)})
			said := w
			w = statusOf{said, func(status int) { h.writes[at].Status = status }}
		}
		h.count(w)
		switch refused := h.admit(c, role); {
		case refused != nil:
			refused.write(w)
		default:
			handle(c).write(w)
		}
	})
}

// statusOf tells which status was answered.
type statusOf struct {
	http.ResponseWriter
	tell func(int)
}

func (s statusOf) WriteHeader(status int) {
	s.tell(status)
	s.ResponseWriter.WriteHeader(status)
}

var chance = regexp.MustCompile(`/(releases|assets|comments)/\d+`)

func nameless(r *http.Request) string {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v3"), "/api/uploads")
	path = chance.ReplaceAllString(path, "/$1/{id}")
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return path
}

// count keeps the account of requests, and tells it by headers.
func (h *Hub) count(w http.ResponseWriter) {
	if now := h.options.Clock(); !now.Before(h.reset) {
		h.asked, h.reset = 0, now.Add(time.Hour)
	}
	h.asked++
	header := w.Header()
	header.Set("X-RateLimit-Limit", strconv.Itoa(h.options.Limit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, h.options.Limit-h.asked)))
	header.Set("X-RateLimit-Used", strconv.Itoa(min(h.asked, h.options.Limit)))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(h.reset.Unix(), 10))
	header.Set("X-RateLimit-Resource", "core")
}

// admit logs in, and refuses who may not.
func (h *Hub) admit(c *call, role Role) *answer {
	if authorization := c.Header.Get("Authorization"); authorization != "" {
		scheme, token, _ := strings.Cut(authorization, " ")
		at := slices.IndexFunc(h.options.Users, func(u User) bool { return u.Token != "" && u.Token == token })
		if at < 0 || !strings.EqualFold(scheme, "bearer") && !strings.EqualFold(scheme, "token") {
			return fail(http.StatusUnauthorized, "Bad credentials")
		}
		c.user = h.options.Users[at]
	}
	if h.asked > h.options.Limit {
		return fail(http.StatusForbidden, "API rate limit exceeded for user ID 1.")
	}
	if owner := c.PathValue("owner"); owner != "" && !strings.EqualFold(owner+"/"+c.PathValue("repo"), h.options.Repository) {
		return &notFound
	}
	needsLogin := role != "" || c.Method != http.MethodGet || strings.HasSuffix(c.Pattern, "/user")
	switch {
	case needsLogin && c.user.Login == "":
		return fail(http.StatusUnauthorized, "Requires authentication")
	case !c.user.Role.may(role):
		refused := fail(http.StatusForbidden, "Resource not accessible by personal access token")
		refused.header = http.Header{}
		for part, permission := range map[string]string{"/releases": "contents=write", "/pulls": "pull_requests=write", "/issues": "issues=write; pull_requests=write"} {
			if strings.Contains(c.Pattern, part) {
				refused.header.Set("X-Accepted-GitHub-Permissions", permission)
			}
		}
		return refused
	}
	return nil
}

const documentation = "https://docs.github.com/rest"

func fail(status int, message string) *answer {
	return &answer{status: status, body: object{"message": message, "documentation_url": documentation, "status": strconv.Itoa(status)}}
}

// invalid is the answer to what is well formed and impossible. An error of the code custom has a message, all others a field.
func invalid(resource, code, field, message string) answer {
	fault := object{"resource": resource, "code": code}
	if field != "" {
		fault["field"] = field
	}
	if message != "" {
		fault["message"] = message
	}
	return answer{status: http.StatusUnprocessableEntity, body: object{"message": "Validation Failed", "errors": []object{fault}, "documentation_url": documentation}}
}

var notFound = *fail(http.StatusNotFound, "Not Found")

type object map[string]any

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	content, err := json.Marshal(a.body)
	if err != nil { // nothing in it can fail
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(a.status)
	w.Write(content)
}

// page cuts a list as the request asks for, and links to the pages around it.
func page[T any](c *call, all []T, show func(T) object) answer {
	query := c.URL.Query()
	per, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || per < 1 {
		per = 30
	}
	per = min(per, 100)
	number, err := strconv.Atoi(query.Get("page"))
	if err != nil || number < 1 {
		number = 1
	}
	last := max(1, (len(all)+per-1)/per)
	shown := []object{}
	for i := min((number-1)*per, len(all)); i < min(number*per, len(all)); i++ {
		shown = append(shown, show(all[i]))
	}
	var links []string
	link := func(to int, rel string) {
		query.Set("page", strconv.Itoa(to))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, c.base, c.URL.Path, query.Encode(), rel))
	}
	if number > 1 {
		link(number-1, "prev")
		link(1, "first")
	}
	if number < last {
		link(number+1, "next")
		link(last, "last")
	}
	a := answer{status: http.StatusOK, body: shown}
	if len(links) > 0 {
		a.header = http.Header{"Link": {strings.Join(links, ", ")}}
	}
	return a
}

// read decodes a request's body.
func (c *call) read(into any) *answer {
	if err := json.Unmarshal(c.body, into); err != nil {
		return fail(http.StatusBadRequest, "Problems parsing JSON")
	}
	return nil
}

// number is a parameter of the path, or 0.
func (c *call) number(name string) int64 {
	n, err := strconv.ParseInt(c.PathValue(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// repo is the API's address of the repository.
func (h *Hub) repo(c *call) string { return c.base + "/api/v3/repos/" + h.options.Repository }

func (h *Hub) id() int64 {
	h.last++
	return h.last
}

func (h *Hub) now() time.Time { return h.options.Clock().UTC().Truncate(time.Second) }

func node(kind string, id int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d", kind, id))
}

// known finds a user by name; case does not count.
func (h *Hub) known(login string) (User, int64, bool) {
	for i, u := range h.options.Users {
		if strings.EqualFold(u.Login, login) {
			return u, int64(i + 1), true
		}
	}
	return User{Login: login}, 0, false
}

// person is a user as others see it.
func (h *Hub) person(c *call, login string) object {
	u, id, _ := h.known(login)
	kind := "User"
	if u.Bot {
		kind = "Bot"
	}
	api := c.base + "/api/v3/users/" + u.Login
	return object{
		"login": u.Login, "id": id, "node_id": node("User", id), "avatar_url": c.base + "/avatars/" + u.Login, "gravatar_id": "", "url": api, "html_url": c.base + "/" + u.Login,
		"followers_url": api + "/followers", "following_url": api + "/following{/other_user}", "gists_url": api + "/gists{/gist_id}", "starred_url": api + "/starred{/owner}{/repo}",
		"subscriptions_url": api + "/subscriptions", "organizations_url": api + "/orgs", "repos_url": api + "/repos", "events_url": api + "/events{/privacy}",
		"received_events_url": api + "/received_events", "type": kind, "site_admin": false, "user_view_type": "public",
	}
}

func (h *Hub) people(c *call, logins []string) []object {
	all := []object{}
	for _, login := range logins {
		all = append(all, h.person(c, login))
	}
	return all
}

func (h *Hub) whoAmI(c *call) answer {
	if c.user.Bot {
		return *fail(http.StatusForbidden, "Resource not accessible by integration")
	}
	who := h.person(c, c.user.Login)
	for _, field := range []string{"name", "company", "location", "email", "hireable", "bio"} {
		who[field] = nil
	}
	who["blog"] = ""
	for _, field := range []string{"public_repos", "public_gists", "followers", "following"} {
		who[field] = 0
	}
	who["created_at"], who["updated_at"] = h.now(), h.now()
	return answer{status: http.StatusOK, body: who}
}

func (h *Hub) permission(c *call) answer {
	u, _, ok := h.known(c.PathValue("login"))
	if !ok {
		return notFound
	}
	role := u.Role
	if role == "" {
		role = Read // the repository is public
	}
	who := h.person(c, u.Login)
	who["role_name"] = role
	level := map[Role]Role{Maintain: Write, Triage: Read}[role] // the older names know four levels
	if level == "" {
		level = role
	}
	return answer{status: http.StatusOK, body: object{"permission": level, "role_name": role, "user": who}}
}

// resolve gives the commit of a revision. Without a git repository each one is there, with a commit of its own.
func (h *Hub) resolve(c *call, revision string) (commit string, ok bool) {
	if h.options.Git == nil {
		if commitID.MatchString(revision) {
			return revision, true
		}
		sum := sha1.Sum([]byte(revision))
		return hex.EncodeToString(sum[:]), true
	}
	out, err := h.options.Git.Git(c.Context(), "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	return strings.TrimSpace(out), err == nil
}

var commitID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

func (h *Hub) getRef(c *call) answer {
	ref := "refs/" + strings.TrimPrefix(c.PathValue("ref"), "refs/")
	kind, id := "commit", ""
	if h.options.Git == nil {
		id, _ = h.resolve(c, ref)
	} else {
		out, err := h.options.Git.Git(c.Context(), "for-each-ref", "--format=%(refname) %(objecttype) %(objectname)", ref)
		fields := strings.Fields(out)
		if err != nil || len(fields) < 3 || fields[0] != ref {
			return notFound
		}
		kind, id = fields[1], fields[2]
	}
	return answer{status: http.StatusOK, body: object{
		"ref": ref, "node_id": node("Ref", 0), "url": h.repo(c) + "/git/" + ref,
		"object": object{"type": kind, "sha": id, "url": fmt.Sprintf("%s/git/%ss/%s", h.repo(c), kind, id)},
	}}
}

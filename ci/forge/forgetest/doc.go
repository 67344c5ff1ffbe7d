// Package forgetest holds a server, and whoever asks it, to GitHub's published OpenAPI description: a request or an answer that the description does not
// allow fails the test, with its place and the reason. It is a tool for tests.
//
// What is meant by an answer it does not know; it looks at methods, paths, parameters, statuses and bodies. The description is that of the npm package
// @octokit/openapi, cut to the operations used: testdata/api.github.com.json says which version, and how it is made anew.
package forgetest

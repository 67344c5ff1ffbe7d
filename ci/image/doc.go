// Package image is the stage that makes one OCI image index of one image repository, for all
// platforms of a release, and puts it into an OCI layout.
//
// A Dockerfile of one stage without RUN is carried out in process: parsed by BuildKit's own
// parser, its variables expanded by BuildKit's own lexer, its layers written by package archive.
// The same tree, arguments, binaries and base digests give the same bytes on any machine and for
// any platform. Whatever else a Dockerfile says is refused by line number (Examine tells before
// anything is built); such an image comes from a container builder as an OCI archive, whose bytes
// are taken over unchanged, and the released binaries that it compiled are taken out of it. A Dagger
// engine in reach can make that archive (BuildWithDagger), of what PrepareContext gives it.
//
// How the in-process builder differs from BuildKit, on purpose: files have mode 0755 or 0644 and
// belong to 0:0 unless COPY says otherwise; parent folders that COPY needs belong to 0:0, and are
// written from scratch only, never over a base; a folder that the image has keeps its owner and mode;
// Git's own folder is never copied; and what leads out of the build context, expands to nothing or
// names an undeclared argument is refused where Docker goes on. TestAgainstEngine compares the rest
// with an engine.
package image

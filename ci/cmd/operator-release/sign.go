package main

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/sign"
	"github.com/operator-release/operator-release/ci/sign/gittag"
)

// signing are the flags that say by what a bundle is signed.
type signing struct {
	key, gitKey, fulcio, rekor, timestamp, trustedRoot string
	keyless                                            bool
}

func (s *signing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.key, "sign-key", "", "sign with this private key in PEM: a file, or env://NAME; its password is in COSIGN_PASSWORD")
	f.BoolVar(&s.keyless, "sign-keyless", false, "sign by the identity that the CI gives (GitHub Actions with id-token: write, or SIGSTORE_ID_TOKEN)")
	f.StringVar(&s.gitKey, "git-key", "", "sign the git tag with this key: a file with a private key of OpenSSH, or env://NAME (one with a passphrase has to be in the SSH agent), or gpg:ID of GnuPG's keyring")
	f.StringVar(&s.fulcio, "fulcio-url", "", "who certifies identities, instead of https://fulcio.sigstore.dev")
	f.StringVar(&s.rekor, "rekor-url", "", "the log of signatures, instead of https://rekor.sigstore.dev")
	f.StringVar(&s.timestamp, "timestamp-url", "", "a timestamp authority (RFC 3161)")
	f.StringVar(&s.trustedRoot, "sign-trusted-root", "", "a file with the Sigstore trusted root of those services")
}

// spec is what is asked of the stage; ok is false where nothing is to be signed.
func (s *signing) spec() (spec pipeline.SignSpec, ok bool, err error) {
	services := s.fulcio != "" || s.rekor != "" || s.timestamp != "" || s.trustedRoot != ""
	switch {
	case s.key != "" && s.keyless:
		return spec, false, refusal.New("sign: by a key, or without one? give --sign-key or --sign-keyless")
	case services && !s.keyless:
		return spec, false, refusal.New("sign: --fulcio-url, --rekor-url, --timestamp-url and --sign-trusted-root are for --sign-keyless")
	case s.key == "" && !s.keyless && s.gitKey == "":
		return spec, false, nil
	}
	spec = pipeline.SignSpec{Key: absolute(s.key), GitKey: absolute(s.gitKey), TagOnly: s.key == "" && !s.keyless, Fulcio: s.fulcio, Rekor: s.rekor, Timestamp: s.timestamp}
	spec.Builder, spec.Invocation = builder(os.Getenv)
	if s.trustedRoot != "" {
		content, err := os.ReadFile(s.trustedRoot)
		if err != nil {
			return spec, false, refusal.New("sign: read the trusted root: %w", err)
		}
		spec.TrustedRoot = string(content)
	}
	return spec, true, nil
}

// builder names the machines that build, and the run: GitHub's own, where it is one of its jobs. The provenance tells; nothing that is built knows.
func builder(getenv func(string) string) (builder, invocation string) {
	server, repository, run := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"), getenv("GITHUB_RUN_ID")
	if getenv("GITHUB_ACTIONS") != "true" || server == "" || repository == "" || run == "" {
		return "", ""
	}
	invocation = server + "/" + repository + "/actions/runs/" + run
	if attempt := getenv("GITHUB_RUN_ATTEMPT"); attempt != "" {
		invocation += "/attempts/" + attempt
	}
	return server + "/actions/runner/" + getenv("RUNNER_ENVIRONMENT"), invocation
}

func (a *app) signCommand() *cobra.Command {
	var s signing
	cmd := &cobra.Command{
		Use: "sign DIR --sign-key FILE | --sign-keyless | --git-key FILE", Short: "Sign everything in a bundle, as cosign does, and say how it was built; sign its git tag",
		Long: "Signs images, their platforms, charts and the release artifact, their provenance (SLSA), SBOMs and test result, and attaches all of it to the bundle, whose identity stays. " +
			"What the same key or identity signed already is not signed again. Publishing brings the signatures along, also of a version that is out. " +
			"--git-key signs the git tag as git does, before it is published: a tag that is out stays as it is.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, ok, err := s.spec()
			if err != nil {
				return err
			}
			if !ok {
				return refusal.New("sign %s: by what? name a key with --sign-key, sign by the CI's identity with --sign-keyless, or the git tag with --git-key", args[0])
			}
			said, err := a.signBundle(cmd.Context(), args[0], spec)
			if err != nil {
				return err
			}
			return a.print(said, func(page *report.Page) { signedPage(page, said) })
		},
	}
	s.flags(cmd)
	return cmd
}

// signBundle signs a bundle's folder in place.
func (a *app) signBundle(ctx context.Context, dir string, spec pipeline.SignSpec) (pipeline.Signed, error) {
	b, err := bundle.Load(dir)
	if err != nil {
		return pipeline.Signed{}, err
	}
	w, err := a.begin(dir)
	if err != nil {
		return pipeline.Signed{}, err
	}
	defer w.end()
	flow := pipeline.Flow[string]{Runner: w.runner, Plan: pipeline.PlanSpec{Version: b.Record.Version.String()}}
	said, signed, err := flow.Sign(ctx, dir, spec)
	if err != nil || said.Added == 0 && said.Tag != pipeline.TagSigned {
		return said, err
	}
	return said, deliver(output.Bundle, signed, dir)
}

// tagStays is said where a git tag was to be signed once more.
const tagStays = "the bundle holds a signed git tag already: it stays"

func signedPage(page *report.Page, said pipeline.Signed) {
	by := strings.Join(said.By, ", ")
	switch {
	case said.Added > 0:
		page.Title("Signed by %s", by)
		page.Line(report.Done, "%d statements are signed, %d were already", said.Added, said.There)
	case len(said.By) > 0:
		page.Title("All %d statements are signed already by %s: nothing to do", said.There, by)
	}
	switch said.Tag {
	case pipeline.TagSigned:
		page.Line(report.Done, "the git tag is signed")
	case pipeline.TagThere:
		page.Line(report.None, "%s", tagStays)
	}
}

func runSign(ctx context.Context, c call, spec pipeline.SignSpec) (any, error) {
	from, err := bundle.Load(c.trees[pipeline.Bundled])
	if err != nil {
		return nil, err
	}
	if err := from.Verify(); err != nil {
		return nil, err
	}
	var signer sign.Signer
	if !spec.TagOnly {
		if signer, err = signerOf(ctx, c.secrets, spec); err != nil {
			return nil, err
		}
	}
	var tagger *gittag.Signer
	if spec.GitKey != "" {
		if tagger, err = gittag.Key(spec.GitKey, c.secrets); err != nil {
			return nil, err
		}
	}
	b, err := from.Clone(c.out)
	if err != nil {
		return nil, err
	}
	var said pipeline.Signed
	if signer != nil {
		run := bundle.Run{Builder: spec.Builder, Invocation: spec.Invocation}
		added, err := sign.Bundle(ctx, b, signer, run)
		if err != nil {
			return nil, err
		}
		all, err := sign.Statements(b, run)
		if err != nil {
			return nil, err
		}
		said.By, said.Added, said.There = signer.Verifier().Names(), len(added), len(all)-len(added)
	}
	if tagger != nil {
		_, added, err := tagger.Sign(ctx, b)
		if err != nil {
			return nil, err
		}
		if said.Tag = pipeline.TagThere; added {
			said.Tag = pipeline.TagSigned
		}
	}
	return said, nil
}

// signerOf opens the key, or asks for a certificate.
func signerOf(ctx context.Context, secrets *redact.Secrets, spec pipeline.SignSpec) (sign.Signer, error) {
	if spec.Key == "" {
		return keylessSigner(ctx, secrets, spec)
	}
	pem, err := keyContent(spec.Key)
	if err != nil {
		return nil, err
	}
	var password []byte
	if value, ok := os.LookupEnv("COSIGN_PASSWORD"); ok {
		password = []byte(value)
	}
	return sign.Key(pem, password, secrets)
}

// keyContent reads a file, or a variable.
func keyContent(where string) ([]byte, error) {
	if name, ok := strings.CutPrefix(where, "env://"); ok {
		value, there := os.LookupEnv(name)
		if !there || value == "" {
			return nil, refusal.New("read the signing key: the variable %s is not set", name)
		}
		return []byte(value), nil
	}
	content, err := os.ReadFile(where)
	if err != nil {
		return nil, refusal.New("read the signing key: %w", err)
	}
	return content, nil
}

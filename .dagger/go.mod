module dagger/operator-release

go 1.26.1

require github.com/operator-release/operator-release v0.0.0-00010101000000-000000000000

// Engines pin an SDK that Go orders before this version, which the module at the top requires. Without this line Go
// gives the module at the top up, and asks a proxy for another version of it.
exclude dagger.io/dagger v0.21.8

replace github.com/operator-release/operator-release => ../

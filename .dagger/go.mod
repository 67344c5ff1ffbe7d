module dagger/operator-release

go 1.26.1

require github.com/operator-release/operator-release v0.0.0-00010101000000-000000000000

replace github.com/operator-release/operator-release => ../

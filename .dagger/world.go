package main

import (
	"encoding/json"
	"time"

	"dagger/operator-release/internal/dagger"
)

// toTheWorld lets a container ask the world and write to it, anew each time: no earlier run's answer is taken. Retries are the stage's own.
func (m *OperatorRelease) toTheWorld(c *dagger.Container) *dagger.Container {
	return anew(m.withForge(m.withGit(m.withRegistries(m.withServices(c)))))
}

// anew lets what runs in a container run again, whatever ran before.
func anew(c *dagger.Container) *dagger.Container {
	return c.WithEnvVariable("OPERATOR_RELEASE_CALLED_AT", time.Now().UTC().Format(time.RFC3339Nano))
}

func (m *OperatorRelease) withServices(c *dagger.Container) *dagger.Container {
	for _, bound := range m.Services {
		c = c.WithServiceBinding(bound.Name, bound.Service)
	}
	return c
}

// credentials is the folder of what logs in. Secrets are mounted in it and in no layer, argument or variable.
const credentials = "/run/operator-release/"

// encoded is v as JSON.
func encoded(v any) string {
	content, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and maps of them
	}
	return string(content)
}

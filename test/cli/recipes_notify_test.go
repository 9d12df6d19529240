//go:build linux

package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

// recipes are the tests of the blocks of the pages, by the names in their comments.
var recipes map[string]func(k *kitchen)

func init() {
	recipes = map[string]func(k *kitchen){}
	for _, some := range []map[string]func(k *kitchen){notifyRecipes, historyRecipes, cookbookRecipes, migratingRecipes} {
		for name, test := range some {
			recipes[name] = test
		}
	}
}

func TestRecipes(t *testing.T) {
	t.Parallel()
	for name, test := range recipes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newKitchen(t))
		})
	}
}

const failedMessage = "backup failed after "

var notifyRecipes = map[string]func(k *kitchen){
	"alert-script": func(k *kitchen) {
		k.cook(0, "alert-script")
		mustNotContain(k, k.called(), "mail")
		k.cook(2, "alert-script", "BACKUP_CODE=2")
		mustContain(k, k.called(), "mail <-s> <", ": backup: failed> <root> in=backup failed after ", "with exit code 2", "failed 2")
	},
	"sendmail": func(k *kitchen) {
		k.cook(2, "sendmail", "BACKUP_CODE=2")
		mustContain(k, k.called(), "sendmail <root> in=Subject: ", ": failed\n\n"+failedMessage)
	},
	"ntfy": func(k *kitchen) {
		need(k.T, "curl", "curl")
		k.cook(0, "ntfy")
		k.asked()
		k.cook(2, "ntfy", "BACKUP_CODE=2")
		k.asked("POST /jobs backup failed " + failedMessage)
		h := k.holdName("backup")
		k.cook(75, "ntfy")
		k.asked("POST /jobs backup skipped backup is already running: pid ")
		h.release()
	},
	"webhook": func(k *kitchen) {
		need(k.T, "curl", "curl")
		k.cook(2, "webhook", "BACKUP_CODE=2")
		var e map[string]any
		_, body, _ := strings.Cut(k.asked("POST /sole")[0], "/sole  ")
		if err := json.Unmarshal([]byte(body), &e); err != nil || e["event"] != "failed" || e["name"] != "backup" || e["exit_code"] != 2.0 {
			k.Errorf("%v, %q", err, body)
		}
	},
	"chat": func(k *kitchen) {
		need(k.T, "curl", "curl")
		need(k.T, "jq", "jq")
		k.cook(2, "chat", "BACKUP_CODE=2")
		got := k.asked("POST /services/T0/B0/x  {\"text\":\"")
		mustContain(k, got[0], ": "+failedMessage)
	},
	"logger": func(k *kitchen) {
		k.cook(2, "logger", "BACKUP_CODE=2")
		mustContain(k, k.called(), "logger <-t> <sole> <-p> <daemon.warning> <--> <"+failedMessage)
	},
	"systemd-cat": func(k *kitchen) {
		k.cook(2, "systemd-cat", "BACKUP_CODE=2")
		mustContain(k, k.called(), "systemd-cat <-t> <sole> <-p> <warning> in="+failedMessage)
	},
	"notify-send": func(k *kitchen) {
		k.cook(2, "notify-send", "BACKUP_CODE=2")
		mustContain(k, k.called(), "notify-send <-u> <critical> <backup: failed> <"+failedMessage)
	},
}

// The pings of the page: a start, and then success or failure, and nothing of a skip.
func TestRecipeOfPings(t *testing.T) {
	t.Parallel()
	need(t, "curl", "curl")
	k := newKitchen(t)
	watched := k.file("bin/backup-watched")
	if o := k.finish(k.command(watched)); o.code != 0 {
		t.Fatal(o)
	}
	k.asked("GET /ping/backup/start", "GET /ping/backup")
	k.env = append(k.env, "BACKUP_CODE=3")
	if o := k.finish(k.command(watched)); o.code != 3 {
		t.Fatal(o)
	}
	k.asked("GET /ping/backup/start", "POST /ping/backup/fail  "+failedMessage)
	h := k.holdName("backup")
	if o := k.finish(k.command(watched)); o.code != 75 {
		t.Fatal(o)
	}
	k.asked()
	h.release()
}

// asked checks which requests came.
func (k *kitchen) asked(want ...string) []string {
	k.Helper()
	got := k.requests()
	if len(got) != len(want) {
		k.Fatalf("requests: %q, not %q", got, want)
	}
	for i := range got {
		if !strings.HasPrefix(got[i], want[i]) {
			k.Errorf("request %q, not %q", got[i], want[i])
		}
	}
	return got
}

func mustNotContain(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(text, p) {
			t.Errorf("%q is in %q", p, text)
		}
	}
}

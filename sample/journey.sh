#!/usr/bin/env bash
# Goes through everything that can happen to a session, against the running sample, and stops at the first answer
# that is not as it should be:
#
#   TRANSFER_WITHIN=5s npm start        in one terminal: a password counts as just typed in for 5 seconds
#   bash sample/journey.sh              in another; takes the URL of the sample where it is another one
#
# It leaves the bank as it was, but for one cent that goes from Ana to Ben.
set -euo pipefail

base=${1:-http://localhost:3000}
answer=''

# request METHOD PATH [TOKEN] [JSON] puts head and body of the answer into $answer
request() {
  local arguments=(--silent --show-error --include --max-time 10 --request "$1")
  if [[ -n ${3:-} ]]; then arguments+=(--header "Authorization: Bearer $3"); fi
  if [[ -n ${4:-} ]]; then arguments+=(--header 'Content-Type: application/json' --data "$4"); fi
  answer=$(curl "${arguments[@]}" "$base$2")
  answer=${answer//$'\r'/}
}

# expect STATUS [TEXT…]: the last answer has this status, and these texts in its head or body
expect() {
  local status=$1 text
  shift
  [[ $answer == "HTTP/1.1 $status "* ]] || fail "expected status $status"
  for text in "$@"; do
    [[ $answer == *"$text"* ]] || fail "expected $text"
  done
}

expect_not() {
  [[ $answer != *"$1"* ]] || fail "did not expect $1"
}

# Without the tokens, which belong in no log.
fail() {
  printf '\nWRONG: %s in the answer:\n%s\n' "$1" "$(sed 's/sid_[A-Za-z0-9_-]*/sid_…/g' <<<"$answer")" >&2
  exit 1
}

# field NAME: the first one of that name in the last answer
field() {
  [[ $answer =~ \"$1\":\"?([^\",}]*) ]] || fail "expected a field $1"
  printf '%s' "${BASH_REMATCH[1]}"
}

# sign_in USERNAME DEVICE [PASSWORD]
sign_in() {
  request POST /auth/sign-in '' \
    "{\"username\":\"$1\",\"password\":\"${3:-$1-demo-password}\",\"device\":\"$2\"}"
  expect 201 'Cache-Control: no-store' '"token":"sid_'
}

# transfer FROM TO CENTS, by Ana
transfer() {
  request POST /accounts/transfers "$ana" "{\"from\":\"$1\",\"to\":\"$2\",\"amountInCents\":$3}"
}

chapter() { printf '\n%s\n' "$1"; }
ok() { printf '  ✓ %s\n' "$1"; }

wait_for_sample() {
  for _ in {1..100}; do
    if curl --silent --output /dev/null --max-time 1 "$base/me"; then return; fi
    sleep 0.2
  done
  printf 'There is no sample at %s. Start it first: TRANSFER_WITHIN=5s npm start\n' "$base" >&2
  exit 1
}

wait_for_sample

chapter 'Ana signs in'
request GET /me
expect 401 $'WWW-Authenticate: Bearer\n' '"code":"session_required"'
ok 'without a token: 401, and the head says how to come in'
request GET /me 'sid_made-up'
expect 401 'WWW-Authenticate: Bearer error="invalid_token"' '"code":"session_invalid"'
ok 'with a token that somebody made up: 401'
request POST /auth/sign-in '' '{"username":"ana","password":"wrong"}'
expect 401 '"code":"sign_in_failed"'
wrong=$(tail -n 1 <<<"$answer")
request POST /auth/sign-in '' '{"username":"nobody","password":"wrong"}'
expect 401 "$wrong"
ok 'with a wrong password: 401, and the same for a user who does not exist'
request POST /auth/sign-in '' '{"username":"ana","password":"ana-demo-password","roles":["admin"]}'
expect 400 'property roles should not exist'
ok 'with something that no DTO asks for: 400'
sign_in ana "Ana's phone"
ana=$(field token)
ana_session=$(field id)
ok 'with the right password: a token, in an answer that no cache may keep'
request GET /me "$ana"
expect 200 '"username":"ana"' '"roles":["customer"]' "\"id\":\"$ana_session\""
expect_not sid_
ok 'with the token: who she is; no answer has the token in it again'

chapter 'Ana looks at her accounts'
request GET /accounts "$ana"
expect 200 10000001 10000002
expect_not 10000003
request GET /accounts/10000003 "$ana"
expect 404
ok "sees her own, and not Ben's"
request GET /staff/users/ben/sessions "$ana"
expect 403 'WWW-Authenticate: Bearer error="insufficient_scope"' '"code":"role_required"'
ok 'is no staff: 403'

chapter 'Ana sends money'
request GET /accounts/10000001 "$ana"
balance=$(field balanceInCents)
for cents in -1 0 1.5 '"1"' null; do
  transfer 10000001 10000003 "$cents"
  expect 400
done
transfer 10000001 10000001 1
expect 400
transfer 10000001 99999999 1
expect 404
transfer 10000003 10000001 1
expect 404
transfer 10000001 10000003 "$((balance + 1))"
expect 409
ok 'not less than a cent, not to herself, not to nowhere, not from Ben, not more than she has'
# Looks at the session before it looks at the amount: 400 as long as the sign-in is recent.
for _ in {1..15}; do
  transfer 10000001 10000003 0
  [[ $answer == 'HTTP/1.1 400 '* ]] || break
  sleep 1
done
[[ $answer != 'HTTP/1.1 400 '* ]] || fail 'start the sample with TRANSFER_WITHIN=5s npm start; there is no challenge'
expect 401 'WWW-Authenticate: Bearer error="insufficient_user_authentication", max_age="' \
  '"code":"reauthentication_required"'
ok 'after a while she must show that it is still her: 401, with the challenge of RFC 9470'
request POST /auth/step-up "$ana" '{"password":"wrong"}'
expect 401 '"code":"sign_in_failed"'
request GET /me "$ana"
expect 200
ok 'a wrong password changes nothing'
old=$ana
request POST /auth/step-up "$ana" '{"password":"ana-demo-password"}'
expect 200 "\"id\":\"$ana_session\""
ana=$(field token)
transfer 10000001 10000003 1
expect 200 "\"balanceInCents\":$((balance - 1))"
ok 'the right one does: the money is sent'
request GET /me "$old"
expect 401 'WWW-Authenticate: Bearer error="invalid_token"' '"code":"session_invalid"'
ok 'it is the same session with another token; the old one is dead'

chapter 'Ana looks at her devices'
sign_in ana "Ana's tablet"
tablet=$(field token)
tablet_session=$(field id)
request GET /devices "$ana"
expect 200 "\"id\":\"$ana_session\",\"name\":\"Ana's phone\"" "\"id\":\"$tablet_session\",\"name\":\"Ana's tablet\""
if [[ $answer =~ \"isCurrent\":true.*\"isCurrent\":true ]]; then fail 'one device only is the current one'; fi
ok 'sees the phone and the tablet'
request DELETE "/devices/$tablet_session" "$ana"
expect 204
request GET /me "$tablet"
expect 401 '"code":"session_invalid"'
ok 'ends the tablet: its next request is refused'
sign_in ben "Ben's phone"
ben=$(field token)
ben_session=$(field id)
request DELETE "/devices/$ben_session" "$ana"
expect 404
request GET /me "$ben"
expect 200
ok "cannot end Ben's, even though she knows its id"
sign_in ana "Ana's laptop"
laptop=$(field token)
request DELETE /devices "$ana"
expect 200 '"ended":'
request GET /me "$laptop"
expect 401 '"code":"session_invalid"'
request GET /me "$ana"
expect 200
ok 'ends all others: the phone stays'

chapter 'Ben has lost his phone, and calls the helpdesk'
sign_in sam 'Helpdesk 4'
sam=$(field token)
request GET /staff/users/ben/sessions "$sam"
expect 200 "\"id\":\"$ben_session\"" "Ben's phone"
expect_not sid_
request DELETE "/staff/users/ben/sessions/$ben_session" "$sam"
expect 204
request GET /me "$ben"
expect 401 '"code":"session_invalid"'
ok "Sam finds and ends Ben's session: the next request of the phone is refused"
request PUT /staff/users/sam/roles "$sam" '{"roles":["admin"]}'
expect 403 '"code":"role_required"'
ok 'Sam cannot make himself an administrator'

chapter 'Ben joins the staff'
sign_in ben "Ben's new phone"
ben=$(field token)
request GET /staff/users/ana/sessions "$ben"
expect 403 '"code":"role_required"'
sign_in ada 'Head office'
ada=$(field token)
request PUT /staff/users/ben/roles "$ada" '{"roles":["support"]}'
expect 200 '"roles":["support"]'
request GET /staff/users/ana/sessions "$ben"
expect 200 'Session-Token: sid_' 'Cache-Control: no-store'
[[ $answer =~ Session-Token:\ (sid_[A-Za-z0-9_-]+) ]] || fail 'expected a new token'
ben=${BASH_REMATCH[1]}
ok 'Ada makes him support: his next request may do more, and is handed a new token'
request GET /staff/users/ana/sessions "$ben"
expect 200
request PUT /staff/users/ben/roles "$ada" '{"roles":["customer"]}'
expect 200 '"roles":["customer"]'
request GET /staff/users/ana/sessions "$ben"
expect 403 '"code":"role_required"'
ok 'and a customer again: his next request may do less'

chapter 'Ben changes his password'
sign_in ben 'A stranger'
stranger=$(field token)
request POST /me/password "$ben" '{"oldPassword":"wrong","newPassword":"a longer and better one"}'
expect 401 '"code":"sign_in_failed"'
request POST /me/password "$ben" '{"oldPassword":"ben-demo-password","newPassword":"a longer and better one"}'
expect 200 'Cache-Control: no-store'
copy=$ben
ben=$(field token)
request GET /me "$copy"
expect 401 '"code":"session_invalid"'
ok 'a copy of his token is dead'
request GET /me "$stranger"
expect 401 '"code":"session_invalid"'
request GET /me "$ben"
expect 200
ok 'whoever else was signed in is not any more; Ben is'
request POST /auth/sign-in '' '{"username":"ben","password":"ben-demo-password"}'
expect 401 '"code":"sign_in_failed"'
request POST /me/password "$ben" '{"oldPassword":"a longer and better one","newPassword":"ben-demo-password"}'
expect 200
ok 'the old password does not work (and then does again, for the next journey)'

chapter 'Ada ends all sessions there are'
request DELETE /staff/sessions "$ada"
expect 200 '"ended":'
for token in "$ana" "$ben" "$sam" "$ada"; do
  request GET /me "$token"
  expect 401 '"code":"session_invalid"'
done
ok 'everybody has to sign in again, Ada included'

chapter 'The bank closes and opens again'
sign_in ana "Ana's phone"
ana=$(field token)
ana_session=$(field id)
sign_in sam 'Helpdesk 4'
sam=$(field token)
printf '  Stop the sample and start it again if you like, then press Enter. '
read -r || true
printf '\n'
wait_for_sample
request GET /me "$ana"
expect 200 "\"id\":\"$ana_session\""
ok 'Ana is still signed in'

chapter 'Ana signs out'
request POST /auth/sign-out "$ana"
expect 204
request GET /me "$ana"
expect 401 'WWW-Authenticate: Bearer error="invalid_token"' '"code":"session_invalid"'
ok 'her token is dead at once'
request GET /staff/users/ana/sessions "$sam"
expect 200
expect_not "$ana_session"
ok 'her session is gone from the server, and not only from the phone'
request POST /auth/sign-out "$ana"
expect 204
ok 'signing out twice does no harm'

printf '\nAll is well.\n'

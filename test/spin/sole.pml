/*
 * A model of how sole waits: exclusive and shared waiters, starts that do not
 * wait, and --replace, on one lock file L. Check it with check.sh.
 *
 * Modelled
 *   L          flock(2) as fs/locks.c does it: requests hang under the lock or
 *              request they conflict with; letting go wakes those under it; one
 *              woken must run to take L, so a newcomer can come between. A
 *              signal (kill, stop) takes a process out of the queue; continued,
 *              it asks again, at the tail.
 *   ticket     set some time after the arrival was read, gone with the process.
 *              The look reads one ticket a step, not all at once.
 *   kinds      Waiter (exclusive; with TRY it tries first), Start (does not
 *              wait), Sharer (shared waiter), Replacer, and a Holder to begin with.
 *   faults     Chaos kills a waiter or a supervisor between any two steps (the
 *              command lives on and holds L), stops a waiter, and may continue
 *              it. A Replacer sends TERM, then may KILL supervisor, then command.
 *
 * Where the model is not the design as it was first written
 *   - A shared waiter that waits on a mark also notices when its owner stops
 *     (FAULT_WAIT_FOR_STOPPED is the wait without that).
 *   - What it waits on lies outside the ticket ranges, so that the read lock it
 *     is given there is nobody's ticket (FAULT_WAIT_ON_TICKET).
 *   - A start that does not wait yields to every front ticket, also to one
 *     younger than itself (FAULT_START_IGNORES_FRONT).
 *   - Whoever got L before its turn waits for the one before it, and not for L.
 *     With FAULT_NO_AWAIT it waits for L, after a back-off.
 *
 * Abstracted
 *   Time is the order of arrivals. A ticket and its owner's state are read in
 *   one step; pid marks, the clash of two tickets (ns + 1) and pid reuse are
 *   left out. A start's first look is one step; a try takes L or skips. Letting
 *   go of L and ending are one step. A replacer sees a new holder's record as
 *   soon as it is written. A back-off outlasts a wake-up: one that passed asks
 *   again only when nobody woken is still to run. Without this assumption
 *   (FAULT_NO_BACKOFF) two waiters can pass the lock about for ever.
 *   Where a request conflicts with several, it hangs under the lowest. Waiters
 *   of a kind arrive in the order of their numbers (they are alike).
 *   Slots, --queue, --wait's limit, run numbers and the file itself are left out.
 *
 * Bounds
 *   Two to five contenders, each of which runs once (for ever with STREAM), at
 *   most two kills and one stop. Passing these is no proof for more.
 *
 * Properties
 *   exclusion  assertion in running(): no exclusive command beside another.
 *   order      assertion owe == 0 in admit(): nobody is admitted past a process
 *              ahead of it whose ticket was there, and which ran, from the
 *              moment L was got until the admission. A ticket set later than
 *              that, though its arrival is earlier, may be passed.
 *   replace    assertion claim == 0 in admit(): after a replacer sent TERM to a
 *              holder, and while it runs and waits, only a replacer is admitted.
 *   progress   LTL live, under weak fairness: in the end everyone who runs is
 *              admitted or has skipped (with HANG, every replacer), unless a
 *              stopped process has L itself. STRICT drops this exception, and
 *              then it fails: who is stopped between getting L and looking
 *              keeps L, as a stopped holder does.
 *              LEFT_EXCL looks at the exclusive waiters alone.
 *   starvation LTL served (STREAM): an exclusive waiter is admitted however
 *              many shared starts follow one another.
 */

#define EX 2
#define SH 1
#define NONE 99

/* The configuration: how many processes of each kind. check.sh gives these. */
#ifndef HMODE
#define HMODE EX
#endif
#ifndef NX
#define NX 0
#endif
#ifndef NN
#define NN 0
#endif
#ifndef NR
#define NR 0
#endif
#ifndef NS
#define NS 0
#endif
#ifndef NT
#define NT 0
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif

#define X0 1
#define N0 (X0 + NX)
#define R0 (N0 + NN)
#define S0 (R0 + NR)
#define T0 (S0 + NS)
#define N (T0 + NT)

#define front(p) ((p) >= R0 && (p) < S0)
#define shared(p) ((p) >= S0 || ((p) == 0 && HMODE == SH))
#define excl(p) (!shared(p))
#define mask(p) (1 << (p))

#if N == 2
#define OR(f) (f(0) || f(1))
#elif N == 3
#define OR(f) (f(0) || f(1) || f(2))
#elif N == 4
#define OR(f) (f(0) || f(1) || f(2) || f(3))
#elif N == 5
#define OR(f) (f(0) || f(1) || f(2) || f(3) || f(4))
#elif N == 6
#define OR(f) (f(0) || f(1) || f(2) || f(3) || f(4) || f(5))
#endif

/* What the kernel knows. */
byte lk[N];     /* flock held by p's open file: 0, SH or EX */
byte blk[N];    /* whose lock or request p's blocked request hangs under */
bool inq[N];    /* p is inside flock(2) and has been blocked there */
bool tick[N];   /* p's order mark is set */
bool dead[N];   /* p was killed; a command it started may live on */
bool cmd[N];    /* p's command runs; it has inherited the open file */
bool stop[N];   /* p is stopped (state T) */
bool term[N];   /* p has got TERM */

/* What processes know. */
byte arr[N];    /* arrival; 0: not arrived */
byte clk = 1;
byte rec;       /* the record: holder + 1 */
byte over[N];   /* the waiter whose mark p waits on */
#ifdef STREAM
byte then[N];   /* and its arrival: the mark says that too */
#define anew(p) (arr[over[p]] != then[p])
#else
#define anew(p) false
#endif
bool xm[N];     /* p has been given the mark it waited on, and not let go yet */

/* Only for the properties. */
bool adm[N];    /* p was admitted */
bool fin[N];    /* p is through: skipped, or its hold has ended */
byte owe[N];    /* waiters ahead of p, there and running since p got L */
byte claim;     /* replacers that ended a hold, and run and wait since */

byte i, b;      /* scratch, used inside atomic steps only */

#define go(p) (!dead[p] && !stop[p])

/* Who is ahead of q: the rule, as the properties understand it. */
#define ahead(q, p) (tick[q] && (q) != (p) && !(shared(q) && shared(p)) && \
	((front(q) && !front(p)) || (front(q) == front(p) && arr[q] < arr[p])))

/* The same, as a process sees it. */
#ifdef FAULT_NO_FRONT
#define sees(q, p) (tick[q] && (q) != (p) && !(shared(q) && shared(p)) && arr[q] < arr[p])
#else
#define sees(q, p) ahead(q, p)
#endif
#ifdef FAULT_START_IGNORES_FRONT
#define sees2(q, p) (tick[q] && (q) != (p) && !(shared(q) && shared(p)) && arr[q] < arr[p])
#else
#define sees2(q, p) sees(q, p)
#endif
#ifdef FAULT_TICKET_KEPT_BY_STOPPED
#define counts(q) true
#else
#define counts(q) (!stop[q])
#endif
#ifdef FAULT_WAIT_ON_TICKET
/* A foreign mark has no pid mark, so nobody can tell whether its owner is stopped. */
#define foreign(q, p) (xm[q] && (q) != (p) && excl(p) && arr[over[q]] < arr[p])
#else
#define foreign(q, p) false
#endif

/* flock(2), as fs/locks.c does it. */

inline wake(p)
{
	for (i : 0 .. N - 1) {
		if
		:: blk[i] == p -> blk[i] = NONE
		:: else
		fi
	}
	i = 0
}

inline conflict(p)
{
	b = NONE;
	for (i : 0 .. N - 1) {
		if
		:: b == NONE && i != p && lk[i] && (excl(p) || lk[i] == EX) -> b = i
		:: else
		fi
	}
	i = 0
}

inline grant(p)
{
	lk[p] = (shared(p) -> SH : EX);
	inq[p] = false;
	owe[p] = 0;
	for (i : 0 .. N - 1) {
		if
		:: ahead(i, p) && !stop[i] -> owe[p] = owe[p] | mask(i)
		:: else
		fi
	}
	i = 0
}

inline request(p)
{
	conflict(p);
	if
	:: b == NONE -> grant(p)
	:: else ->
		do
		:: i < N && blk[i] == b && i != p && (excl(p) || excl(i)) -> b = i; i = 0
		:: i < N && !(blk[i] == b && i != p && (excl(p) || excl(i))) -> i++
		:: i >= N -> break
		od;
		wake(p);
		blk[p] = b;
		inq[p] = true
	fi;
	b = 0
}

inline leave(p)
{
	blk[p] = NONE;
	inq[p] = false;
	wake(p)
}

inline drop(p)
{
	lk[p] = 0;
	owe[p] = 0;
	wake(p)
}

/* q is no longer a running waiter: nobody owes it anything. */
inline unowe(q)
{
	for (i : 0 .. N - 1) {
		owe[i] = owe[i] & (255 - mask(q))
	}
	i = 0;
	claim = claim & (255 - mask(q))
}

/* A back-off outlasts a wake-up: nobody woken is still to run. */
#define woken(q) (inq[q] && blk[q] == NONE && !stop[q])
#ifdef FAULT_NO_BACKOFF
#define rested true
#else
#define rested (!OR(woken))
#endif

/* The steps of a process. */

inline arrive(p)
{
	atomic {
#ifdef STREAM
		go(p) ->
#else
		go(p) && (p == X0 || p == N0 || p == R0 || p == S0 || p == T0 || arr[p - 1]) ->
#endif
#ifdef STREAM
		if
		:: shared(p) -> arr[p] = clk
		:: else -> arr[p] = clk + 1; clk = clk + 2
		fi
#else
		arr[p] = clk + 1; clk = clk + 1
#endif
	}
}

inline ticket(p)
{
	atomic { go(p) -> tick[p] = true }
}

inline lock(p)
{
	do
	:: atomic {
		go(p) && blk[p] == NONE && (!z || rested) ->
		z = false;
		request(p);
		if
		:: lk[p] -> break
		:: else
		fi
	}
	od
}

/* a: somebody ahead runs; then c is who. One ticket a step. */
inline look(p, start)
{
	do
	:: atomic {
		go(p) && !a && c < N ->
		if
		:: ((start && sees2(c, p) || !start && sees(c, p)) && counts(c)) || foreign(c, p) -> a = true
		:: else -> c++
		fi;
		if
		:: a || c == N -> break
		:: else
		fi
	}
	od
}

inline admit(p)
{
	assert(owe[p] == 0);
	assert(front(p) || claim == 0);
	unowe(p);
	tick[p] = false;
	adm[p] = true;
	c = 0
}

inline running(p)
{
	cmd[p] = true;
	for (i : 0 .. N - 1) {
		assert(!(cmd[i] && i != p && (excl(i) || excl(p))))
	}
	i = 0
}

#ifdef HANG
#define ends(p) term[p]
#else
#define ends(p) true
#endif

/* Supervise a command; the record is written before, L let go after it. */
inline hold(p)
{
#if NR > 0
	atomic { go(p) -> rec = p + 1 };
#endif
	if
	:: atomic { go(p) && !term[p] -> running(p) };
		atomic { !cmd[p] || ends(p) -> cmd[p] = false }
	:: atomic { go(p) && term[p] -> skip }
	fi;
	atomic { go(p) -> drop(p); fin[p] = true }
}

/* p was killed: what is left of it is its command. */
inline orphan(p)
{
	if
	:: atomic {
		cmd[p] && ends(p) ->
		cmd[p] = false;
		drop(p)
	}
	:: atomic { !cmd[p] -> skip }
	fi
}

inline kill(p)
{
	dead[p] = true;
	stop[p] = false;
	tick[p] = false;
	xm[p] = false;
	unowe(p);
	if
	:: !lk[p] -> leave(p)
#ifdef FAULT_NO_INHERIT
	:: lk[p] -> drop(p)
#else
	:: lk[p] && !cmd[p] -> drop(p)
	:: lk[p] && cmd[p]
#endif
	fi
}

/* A stopped process leaves flock(2)'s queue; continued, it joins at the tail. */
inline halt(p)
{
	stop[p] = true;
	unowe(p);
	if
	:: !lk[p] -> leave(p)
	:: else
	fi
}

#define runs(q) (tick[q] && !stop[q])

/* The kinds. */

proctype Holder(byte me)
{
	{
		atomic { !cmd[me] || ends(me) -> cmd[me] = false };
		atomic { go(me) -> drop(me); fin[me] = true }
	} unless { dead[me] -> orphan(me) }
}

/*
 * The last one before p that runs, if there is one, else of those in front: p waits
 * for that one. over[p] is p itself for nobody.
 */
inline before(p)
{
	over[p] = p;
	for (i : 0 .. N - 1) {
		if
		:: sees(i, p) && counts(i) && (over[p] == p || (front(over[p]) && !front(i)) ||
			(front(over[p]) == front(i) && arr[over[p]] < arr[i])) -> over[p] = i
		:: else
		fi
	}
#ifdef STREAM
	then[p] = arr[over[p]];
#endif
	i = 0
}

#ifdef FAULT_WAIT_FOR_STOPPED
#define gone(p) (!tick[over[p]] || anew(p))
#else
#define gone(p) (!tick[over[p]] || anew(p) || stop[over[p]])
#endif

/* p got L before its turn. */
inline yield(p)
{
	atomic { go(p) && a -> drop(p); a = false; c = 0 };
#ifdef FAULT_NO_AWAIT
	z = true
#else
	atomic { go(p) -> before(p); z = (over[p] == p) };
	if
	:: atomic { go(p) && z -> skip }
	:: atomic { go(p) && !z && gone(p) -> xm[p] = !tick[over[p]] };
		atomic { go(p) -> xm[p] = false; over[p] = 0 }
	fi
#endif
}

/* Exclusive waiter. */
proctype Waiter(byte me)
{
	byte c;
	bool a, z;
	{
		arrive(me);
#ifdef TRY
		if
		:: atomic { go(me) && OR(runs) -> goto wait }
		:: atomic {
			go(me) && !OR(runs) ->
			conflict(me);
			if
			:: b != NONE -> b = 0; goto wait
			:: else -> b = 0; grant(me)
			fi
		}
		fi;
		look(me, true);
		if
		:: atomic { go(me) && a -> drop(me); a = false; c = 0; goto wait }
		:: atomic { go(me) && !a -> admit(me); goto in }
		fi;
wait:
#endif
		ticket(me);
again:		lock(me);
#ifndef FAULT_NO_RECHECK
		look(me, false);
#endif
		if
		:: yield(me); goto again
		:: atomic { go(me) && !a -> admit(me) }
		fi;
in:		hold(me)
	} unless { dead[me] -> orphan(me) }
}

/* A start that does not wait, exclusive or shared. */
proctype Start(byte me)
{
	byte c;
	bool a, z;
begin:
	{
		arrive(me);
		if
		:: atomic { go(me) && OR(runs) -> goto skipped }
		:: atomic { go(me) && !OR(runs) -> skip }
		fi;
		atomic {
			go(me) ->
			conflict(me);
			if
			:: b != NONE -> b = 0; goto skipped
			:: else -> b = 0; grant(me)
			fi
		};
#ifndef FAULT_NO_RECHECK
		look(me, true);
#endif
		if
		:: atomic { go(me) && a -> drop(me); a = false; c = 0; goto skipped }
		:: atomic { go(me) && !a -> admit(me) }
		fi;
		hold(me);
skipped:	fin[me] = true
	} unless { dead[me] -> orphan(me) }
#ifdef STREAM
	;
	atomic { fin[me] = false; adm[me] = false; arr[me] = 0; goto begin }
#endif
}

/* Shared waiter. */
proctype Sharer(byte me)
{
	byte c;
	bool a, z;
begin:
	{
		arrive(me);
		ticket(me);
again:		lock(me);
#ifndef FAULT_SHARED_BARGE
		look(me, false);
#endif
		if
		:: yield(me); goto again
		:: atomic { go(me) && !a -> admit(me) }
		fi;
		hold(me)
	} unless { dead[me] -> orphan(me) }
#ifdef STREAM
	;
	atomic { fin[me] = false; adm[me] = false; arr[me] = 0; goto begin }
#endif
}

/* The holder by the record lives and holds. */
#define verified(r) ((r) && lk[(r) - 1] && (cmd[(r) - 1] || !dead[(r) - 1]))

/* Replacer. */
proctype Replacer(byte me)
{
	byte c;
	bool a, z;
	bool w;
	byte h = NONE;
	{
		arrive(me);
		ticket(me);
again:		do
		:: atomic { go(me) && w && gone(me) -> w = false; over[me] = 0 }
		:: atomic {
			go(me) && blk[me] == NONE && !w && (!z || rested) ->
			z = false;
			request(me);
			if
			:: lk[me] -> break
			:: else
			fi
		}
		:: atomic {
			go(me) && verified(rec) && h != rec - 1 ->
			h = rec - 1;
			/* Also a later replacer, that went past this one while it was stopped. */
			term[h] = true;
			claim = claim | mask(me)
		}
		:: atomic { go(me) && h != NONE && lk[h] && !dead[h] -> kill(h) }
		:: atomic { go(me) && h != NONE && dead[h] && cmd[h] -> cmd[h] = false; drop(h) }
		od;
		look(me, false);
		if
		:: atomic { go(me) && a -> drop(me); a = false; c = 0; before(me); z = (over[me] == me); w = !z; goto again }
		:: atomic { go(me) && !a -> admit(me) }
		fi;
		hold(me)
	} unless { dead[me] -> orphan(me) }
}

#define victim(p) (arr[p] && !dead[p] && !fin[p])
#define KILL(p) :: atomic { kills && victim(p) -> kills--; kill(p) }
#define STOP(p) :: atomic { stops && victim(p) && !stop[p] && !adm[p] && p -> stops--; halt(p) }
#define CONT(p) :: atomic { stop[p] -> stop[p] = false }

proctype Chaos()
{
	byte kills = KILLS;
	byte stops = STOPS;
end:	do
	:: break
	KILL(0) STOP(0) CONT(0)
	KILL(1) STOP(1) CONT(1)
#if N > 2
	KILL(2) STOP(2) CONT(2)
#endif
#if N > 3
	KILL(3) STOP(3) CONT(3)
#endif
#if N > 4
	KILL(4) STOP(4) CONT(4)
#endif
#if N > 5
	KILL(5) STOP(5) CONT(5)
#endif
	od
}

#if defined(LIVE) || defined(STREAM)
/* Keeps time going, so that a deadlock is an endless run too. */
active proctype Time()
{
	do
	:: true -> true
	od
}
#endif

init
{
	atomic {
		for (i : 0 .. N - 1) {
			blk[i] = NONE
		}
		i = 0;
#ifdef NOHOLDER
		fin[0] = true;
#else
		arr[0] = 1; adm[0] = true; lk[0] = HMODE; cmd[0] = true;
#if NR > 0
		rec = 1;
#endif
		run Holder(0);
#endif
		for (i : X0 .. N - 1) {
			if
			:: i < N0 -> run Waiter(i)
			:: i >= N0 && i < R0 -> run Start(i)
			:: i >= R0 && i < S0 -> run Replacer(i)
			:: i >= S0 && i < T0 -> run Sharer(i)
			:: i >= T0 -> run Start(i)
			fi
		}
		i = 0;
#if KILLS + STOPS > 0
		run Chaos()
#endif
	}
}

#ifdef LEFT_EXCL
#define left(p) (excl(p) && !adm[p] && !fin[p] && !dead[p] && !stop[p])
#elif defined(HANG)
#define left(p) (front(p) && !adm[p] && !fin[p] && !dead[p] && !stop[p])
#else
#define left(p) (!adm[p] && !fin[p] && !dead[p] && !stop[p])
#endif
#ifdef STRICT
#define stuck(p) false
#else
#define stuck(p) (lk[p] && stop[p])
#endif
#ifdef LIVE
ltl live { <> [] (!OR(left) || OR(stuck)) }
#endif
#ifdef STREAM
ltl served { [] (tick[1] -> <> adm[1]) }
#endif

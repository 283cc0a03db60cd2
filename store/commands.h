// The functions behind the commands, one each, as the command table names them. What a command does and replies is what
// Redis 7.0 documents; what it may rely on and must do is in store/call.h.
#pragma once

namespace minod {

class Call;

namespace commands {

// commands_string.cc
void get(Call& call);
void getdel(Call& call);
void strlen(Call& call);
void mget(Call& call);
void mset(Call& call);
void msetnx(Call& call);

// commands_set.cc
void set(Call& call);
void setnx(Call& call);
void setex(Call& call);
void psetex(Call& call);
void getset(Call& call);
void getex(Call& call);

// commands_range.cc
void getrange(Call& call);  // SUBSTR too
void setrange(Call& call);
void append(Call& call);

// commands_counter.cc
void incr(Call& call);
void decr(Call& call);
void incrby(Call& call);
void decrby(Call& call);
void incrbyfloat(Call& call);

// commands_key.cc
void del(Call& call);     // UNLINK too
void exists(Call& call);  // TOUCH too
void type(Call& call);
void rename(Call& call);
void renamenx(Call& call);
void copy(Call& call);
void move(Call& call);

// commands_expire.cc
void expire(Call& call);
void pexpire(Call& call);
void expireat(Call& call);
void pexpireat(Call& call);
void ttl(Call& call);
void pttl(Call& call);
void expiretime(Call& call);
void pexpiretime(Call& call);
void persist(Call& call);

// commands_object.cc
void object(Call& call);  // runs the subcommand that the first argument names
void object_encoding(Call& call);
void object_refcount(Call& call);
void object_idletime(Call& call);
void object_freq(Call& call);
void object_help(Call& call);

// commands_memory.cc
void memory_usage(Call& call);

// commands_keyspace.cc
void scan(Call& call);
void keys(Call& call);
void randomkey(Call& call);
void dbsize(Call& call);
void flushdb(Call& call);
void flushall(Call& call);

}  // namespace commands
}  // namespace minod

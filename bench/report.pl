#!/usr/bin/perl
# Writes OUT/BENCHMARKS.md, and plots beside the tables OUT/bench/PART.tsv, from those tables.
use strict;
use warnings;

my $out = shift or die "report.pl OUT\n";
my (%facts, %values, %rows, %systems);    # by part; values by part, row, system, metric, round

for my $file (glob "$out/bench/*.tsv") {
    my ($part) = $file =~ m{([^/]+)\.tsv$};
    open my $in, '<', $file or die "$file: $!\n";
    while (<$in>) {
        chomp;
        if (/^# (\w+)\t(.*)/) { $facts{$part}{$1} = $2; next }
        my ($row, $system, $round, $metric, $value) = split /\t/;
        next unless defined $value && $value ne '';
        push @{ $rows{$part} }, $row unless $values{$part}{$row};
        push @{ $systems{$part} }, $system unless grep { $_ eq $system } @{ $systems{$part} };
        $values{$part}{$row}{$system}{$metric}{$round} = $value;
    }
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return undef unless @sorted;
    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}
sub all { my ($part, $row, $system, $metric) = @_; return values %{ $values{$part}{$row}{$system}{$metric} || {} } }
sub middle { return median(all(@_)) }

# Half of the distance from the lowest to the highest, in percent of the median.
sub spread {
    my @sorted = sort { $a <=> $b } all(@_);
    return 0 unless @sorted > 1 && median(@sorted);
    return 50 * ($sorted[-1] - $sorted[0]) / median(@sorted);
}

# The median of the ratios that the rounds had.
sub ratio {
    my ($part, $row, $metric, $ours, $theirs, $our_row) = @_;
    my $mine = $values{$part}{ $our_row || $row }{$ours}{$metric}  || {};
    my $other = $values{$part}{$row}{$theirs}{$metric} || {};
    return median(map { $mine->{$_} / $other->{$_} } grep { $other->{$_} } keys %$mine);
}

sub number {
    my ($value) = @_;
    return '-' unless defined $value;
    return sprintf '%.2f', $value if $value < 10;
    return sprintf '%.1f', $value if $value < 100;
    my $text = sprintf '%.0f', $value;
    1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
    return $text;
}

my $page = '';
sub say_line { $page .= join('', @_) . "\n" }

sub table {
    my ($head, @lines) = @_;
    say_line '| ', join(' | ', @$head), ' |';
    say_line '|', '---|' x @$head;
    say_line '| ', join(' | ', @$_), ' |' for @lines;
    say_line '';
}

# Rows by systems; each cell has what `cell` makes of the row and the system.
sub grid {
    my ($part, $keep, $cell) = @_;
    my @kept = grep { /$keep/ } @{ $rows{$part} || [] };
    my @used = grep { my $s = $_; grep { $cell->($_, $s) ne '-' } @kept } @{ $systems{$part} || [] };
    table([ '', @used ], map { my $row = $_; [ $row, map { $cell->($row, $_) } @used ] } @kept) if @kept;
}
sub metric_grid {
    my ($part, $keep, $metric) = @_;
    grid($part, $keep, sub {
        my $value = middle($part, @_, $metric);
        return '-' unless defined $value;
        my $spread = spread($part, @_, $metric);
        return number($value) . ($spread >= 1 ? sprintf(' ±%.0f %%', $spread) : '');
    });
}

# plot(NAME, TITLE, X, Y, LOG AXES, [LABEL, [x, y]...]...)
sub plot {
    my ($name, $title, $x, $y, $log, @lines) = @_;
    @lines = grep { @$_ > 2 } @lines;
    return unless @lines;
    open my $gnuplot, '|-', 'gnuplot' or return;
    print $gnuplot "set terminal svg noenhanced size 720,400 font 'sans-serif,12' background '#ffffff'\n";
    print $gnuplot "set output '$out/bench/$name.svg'\nset title '$title'\nset xlabel '$x'\nset ylabel '$y'\n";
    print $gnuplot "set grid\nset key outside right\nset format x '%.0s%c'\n";
    print $gnuplot "set logscale $log\n" if $log;
    print $gnuplot "set yrange [0:]\n" unless $log =~ /y/;
    print $gnuplot "set xtics 1\n" if $x eq 'shards';
    for my $i (0 .. $#lines) {
        my (undef, @points) = @{ $lines[$i] };
        print $gnuplot "\$line$i << END\n", map({ "@$_\n" } @points), "END\n";
    }
    print $gnuplot 'plot ', join(', ', map { "\$line$_ with linespoints linewidth 2 title '$lines[$_][0]'" } 0 .. $#lines), "\n";
    say_line "![$title](bench/$name.svg)\n" if close $gnuplot;
}

# A line for each system: x is the first number in a row that matches.
sub lines_of {
    my ($part, $keep, $metric, $scale) = @_;
    return map {
        my $system = $_;
        [ $system, map { my ($x) = /(\d+)/; my $m = middle($part, $_, $system, $metric);
                         defined $m ? [ $x, $m * ($scale || 1) ] : () } grep { /$keep/ } @{ $rows{$part} } ];
    } @{ $systems{$part} || [] };
}

sub heading {
    my ($part, $title, @text) = @_;
    return 0 unless $rows{$part};
    say_line "## $title\n";
    say_line $_, "\n" for @text;
    return 1;
}
sub footer {
    my ($part) = @_;
    my $f = $facts{$part};
    say_line "`./dev bench $part`, $f->{date}, $f->{rounds} rounds", ($f->{counted} ? ", counted $f->{counted}" : ''),
        "; load of the machine before it: $f->{load}.\n";
}

sub goal_row {
    my ($what, $ratio, $sign, $goal) = @_;
    return () unless defined $ratio;
    my $met = $sign eq '>=' ? $ratio >= $goal : $ratio <= $goal;
    return [ $what, sprintf('%.3f', $ratio), ($sign eq '>=' ? 'at least ' : 'at most ') . $goal, $met ? 'yes' : '**no**' ];
}

# Part, row, whose value, beside whose, and what is aimed at.
my @goals = (
    [ 'storage-commit', 'commits a second, a 4 KiB block each', 'minod', 'fio', '>=', 0.9, "durable 4 KiB group commits / fio's" ],
    [ 'storage-append', 'append of large groups, MiB/s', 'minod', 'fio', '>=', 0.9, "log append of large groups / fio's best" ],
    [ 'storage-get', 'random GET from disk, 50 clients, reads a second', 'minod', 'fio', '>=', 0.8, "random GET from disk / fio's reads, 50 clients" ],
    [ 'storage-get', 'random GET from disk, 200 clients, reads a second', 'minod', 'fio', '>=', 0.8, 'the same, 200 clients' ],
    [ 'storage-restart', 'restart with a checkpoint', 'minod', 'redis', '>=', 15, "redis' restart from its RDB / minod's with a checkpoint" ],
    [ 'storage-restart', 'restart from the log alone', 'minod', 'redis', '>=', 6, "redis' restart from its AOF / minod's from the log alone" ],
    [ 'storage-latency', 'p99.9 of GET beside a checkpoint, us', 'minod', 'idle', '<=', 2, 'p99.9 of GET beside a checkpoint / idle' ],
    [ 'storage-latency', 'p99.9 of GET beside a compaction, us', 'minod', 'idle', '<=', 2, 'p99.9 of GET beside a compaction / idle' ],
    [ 'storage-pauses', '10000000 keys: bytes of index a key', 'minod', '', '<=', 28, 'bytes of index a key, 10 million keys' ],
    [ 'storage-cache', 'hit ratio, Zipf 0.99, equal budget', 'minod', 'redis', '>=', 1, "cache mode's hit ratio / redis allkeys-lru's, equal bytes" ],
    [ 'replication-acks', 'durable SET c=50 P=1, requests a second', 'one replica', 'single', '>=', 0.7, 'durable SET with acks all and one replica / a single node, P=1' ],
    [ 'replication-acks', 'durable SET c=50 P=16, requests a second', 'one replica', 'single', '>=', 0.7, 'the same, P=16' ],
    [ 'replication-lag', 'lag at half the peak load, p99, ms', 'minod', '', '<=', 5, 'replica lag at half the peak load, p99, ms' ],
    [ 'replication-catchup', 'catch-up, MB/s', 'minod', 'a copy on that disk, 1 MiB at a time, durable', '>=', 0.8, 'catch-up of a new replica / a copy on the same disk' ],
    [ 'replication-handover', 'hand-over, longest time between two acknowledged writes, p99, ms', 'minod', '', '<=', 100, 'hand-over, longest pause of writes, p99, ms' ],
);

# How many times as long the other one takes.
sub restart_times {
    my ($row) = @_;
    my ($theirs, $ours) = map { middle('storage-restart', $row, $_, 'value') } 'redis', 'minod';
    return defined $theirs && $ours ? $theirs / $ours : undef;
}

sub goals {
    my @lines;
    my %set = (1 => 0.95, 16 => 1.3, 64 => 1.5);
    my %get = (1 => 1.0, 16 => 1.4, 64 => 2.5);
    my %get_cpu = (1 => 0.9, 16 => 0.6, 64 => 0.4);
    my %set_cpu = (1 => 0.7, 16 => 0.5);
    for my $p (1, 16, 64) {
        push @lines, goal_row("durable SET / redis without AOF, requests a second, P=$p",
            ratio('kv', "set c=50 P=$p", 'rps', 'minod', 'redis-noaof'), '>=', $set{$p});
    }
    push @lines, goal_row('durable SET / redis always, one client', ratio('kv', 'set c=1 P=1', 'rps', 'minod', 'redis-always'), '>=', 1.6);
    for my $p (1, 16, 64) {
        my $row = "get c=50 P=$p";
        push @lines, goal_row("GET / redis, requests a second, P=$p", ratio('kv', $row, 'rps', 'minod', 'redis-noaof'), '>=', $get{$p});
        push @lines, goal_row("GET / redis, server CPU per request, P=$p", ratio('kv', $row, 'cpu', 'minod', 'redis-noaof'), '<=', $get_cpu{$p});
    }
    for my $p (1, 16) {
        my $row = "set c=50 P=$p";
        push @lines, goal_row("durable SET / redis always, server CPU per request, P=$p", ratio('kv', $row, 'cpu', 'minod', 'redis-always'), '<=', $set_cpu{$p});
        push @lines, goal_row("durable SET / appendfsync no, P=$p", ratio('kv', $row, 'rps', 'minod', 'minod-no'), '>=', 0.9);
    }
    my $beside = 'beside 50 SET clients';
    for my $q ([ 'p50', 'p50' ], [ 'p99', 'p99' ], [ 'p999', 'p99.9' ]) {
        my ($metric, $name) = @$q;
        push @lines, goal_row("GET beside 50 durable SET clients / appendfsync no, $name", ratio('beside', $beside, $metric, 'minod', 'minod-no'), '<=', 1);
        push @lines, goal_row("the same / redis always, $name", ratio('beside', $beside, $metric, 'minod', 'redis-always'), '<=', 0.45);
        push @lines, goal_row("GET beside 8 clients with 16 KiB durable values / redis always, $name",
            ratio('beside', 'beside 8 SET clients of 16 KiB values', $metric, 'minod', 'redis-always'), '<=', 0.2);
    }
    for my $operation ('get', 'set') {
        for my $p (1, 16, 64) {
            my $one = middle('shards', "$operation c=50 P=$p", 'minod@1', 'capacity');
            my $two = middle('shards', "$operation c=50 P=$p", 'minod@2', 'capacity');
            push @lines, goal_row("two shards / one, $operation P=$p", $two / $one, '>=', 1.7) if $one && $two;
        }
    }
    for my $goal (@goals) {
        my ($part, $row, $ours, $theirs, $sign, $aim, $what) = @$goal;
        my $measured = $part eq 'storage-restart' ? restart_times($row)
            : $theirs ? ratio($part, $row, 'value', $ours, $theirs) : middle($part, $row, $ours, 'value');
        push @lines, goal_row($what, $measured, $sign, $aim);
    }
    return unless @lines;
    say_line "## What was aimed at\n\nMedians of the rounds' ratios.\n";
    table([ 'ratio', 'measured', 'goal', 'met' ], @lines);
    say_line "Where the time goes, what was tried against a goal that is not met, and what bounds it: [adr/0015](adr/0015-cost-of-a-request.md).\n";
}

my ($any) = sort { ($a =~ /^(storage|replication)/) <=> ($b =~ /^(storage|replication)/) || $facts{$b}{date} cmp $facts{$a}{date} || $b cmp $a } keys %facts;
die "no tables in $out/bench: run a part first\n" unless $any;
say_line "# Benchmarks\n\nWritten by `./dev bench`; do not edit. $facts{$any}{machine}; $facts{$any}{versions}.\n";
say_line <<'TEXT';
Client and servers share the machine. Systems take turns within a round; a cell is the median of the rounds, with ± half of
what lies between the lowest and the highest. The generator is minod-bench with one thread: closed loop with pipelines sent
whole, as redis-benchmark sends them, or an open loop where a rate is named. Values have 100 bytes, keys 16, drawn uniformly
from a million, unless something else is said. `redis-noaof`: no append-only file; `minod-no`: appendfsync no.
TEXT
goals();

if (heading('kv', 'Requests a second')) {
    metric_grid('kv', '.', 'rps');
    say_line "Server's processor time per request, us:\n";
    metric_grid('kv', '.', 'cpu');
    say_line "Latency, us, p50 / p99 / p99.9:\n";
    latency_grid('kv', '.');
    say_line "How busy the generator's thread was, of 1:\n";
    metric_grid('kv', '.', 'client');
    footer('kv');
}

sub latency_grid {
    my ($part, $keep) = @_;
    grid($part, $keep, sub {
        my ($row, $system) = @_;
        my @three = map { middle($part, $row, $system, $_) } 'p50', 'p99', 'p999';
        return defined $three[0] ? join(' / ', map { number($_) } @three) : '-';
    });
}

if (heading('beside', 'One reader beside writers', 'GET by one client, us, p50 / p99 / p99.9.')) {
    latency_grid('beside', '.');
    footer('beside');
}
if (heading('curve', 'Latency at each rate', 'Open loop, random arrivals, 50 connections: from when a request was meant to be sent.')) {
    for my $operation ('set', 'get') {
        plot("curve-$operation", uc($operation) . ': p99 at each rate', 'requests a second', 'p99, us', 'y', lines_of('curve', "^$operation ", 'p99'));
    }
    latency_grid('curve', '.');
    footer('curve');
}
if (heading('compaction', 'Latency under compaction',
    '100,000 keys of 1 kB, half GET and half SET at 20,000 a second: all but 100 MB of the log is garbage. Us, p50 / p99 / p99.9, and what the log holds in the end.')) {
    plot('compaction', 'p99 of each second', 'second', 'p99, us', 'y', lines_of('compaction', '^second', 'p99'));
    latency_grid('compaction', '^get');
    metric_grid('compaction', '^get', 'log_mib');
    footer('compaction');
}
if (heading('keys', 'What grows with the number of keys', 'Resident memory, MiB; minod with `maxmemory` of what its index needs and 128 MiB.')) {
    metric_grid('keys', 'keys$', 'rss');
    plot('memory', 'Memory', 'keys', 'RSS, MiB', 'xy', lines_of('keys', 'keys$', 'rss'));
    say_line "Seconds from the start of the process to the first answer, after kill -9: from minod's checkpoint and hints, from its log alone; redis from the AOF (`redis-no`) or an RDB file (`redis-noaof`).\n";
    metric_grid('keys', 'keys$', 'restart_kill');
    say_line "From minod's log alone:\n";
    metric_grid('keys', 'keys$', 'restart_log');
    plot('restart', 'Restart', 'keys', 'seconds', 'xy', lines_of('keys', 'keys$', 'restart_kill'),
        map { $_->[0] = 'minod, log alone'; $_ } grep { $_->[0] eq 'minod' } lines_of('keys', 'keys$', 'restart_log'));
    say_line "Server's processor time per request, us, pipelines of 16:\n";
    metric_grid('keys', 'et$', 'cpu');
    plot("growth-$_", 'Cost of a ' . uc, 'keys', 'server CPU, us', 'x', lines_of('keys', "$_\$", 'cpu')) for 'get', 'set';
    footer('keys');
}
if (heading('shards', 'Shards',
    'Two partitions on one shard and on two. On a machine of two processors the generator takes what the second shard would need, so what is compared is requests for each second that the busiest shard computed: what they would answer together if the generator ran elsewhere.')) {
    metric_grid('shards', '.', 'capacity');
    say_line "Requests a second with the generator on the same machine:\n";
    metric_grid('shards', '.', 'rps');
    for my $operation ('get', 'set') {
        plot("shards-$operation", uc($operation) . ': scaling with shards', 'shards', 'requests per second of the busiest shard', '',
            map { my $row = $_; [ $row, map { my ($n) = /(\d+)/; my $m = middle('shards', $row, $_, 'capacity'); defined $m ? [ $n, $m ] : () } @{ $systems{shards} } ] }
                grep { /^$operation/ } @{ $rows{shards} });
    }
    footer('shards');
}
if (heading('durable', 'Durable writes beside other stores', 'Requests a second; RocksDB is called in its process, `db_bench --sync`.')) {
    metric_grid('durable', '.', 'rps');
    say_line "Latency, us, p50 / p99 / p99.9:\n";
    latency_grid('durable', '.');
    footer('durable');
}
if (heading('cost', 'Instructions per request')) {
    metric_grid('cost', '.', 'instructions');
    if (grep { defined middle('cost', $rows{cost}[0], $_, 'kernel') } @{ $systems{cost} }) {
        say_line "In the kernel:\n";
        metric_grid('cost', '.', 'kernel');
    }
    footer('cost');
}

my %storage_titles = (
    commit => 'Group commits', append => 'Appending', get => 'Reading from disk', restart => 'Restart, seconds to the first answer',
    latency => 'What background work costs', pauses => 'Pauses', cache => 'Cache mode',
);
say_line "## The storage engine\n" if grep { /^storage-/ } keys %rows;
for my $step (qw(commit append get restart latency pauses cache)) {
    my $part = "storage-$step";
    next unless $rows{$part};
    say_line "### $storage_titles{$step}\n";
    metric_grid($part, '.', 'value');
    my $f = $facts{$part};
    say_line "`./dev bench storage $step`, $f->{date}, $f->{rounds} rounds; $f->{versions}; load of the machine before it: $f->{load}.\n";
}

say_line "## Replication\n\nA leader and its replica on one machine and one disk, with the client; beside a single node.\n"
    if grep { /^replication-/ } keys %rows;
for my $part (map { "replication-$_" } qw(acks lag catchup handover)) {
    next unless $rows{$part};
    metric_grid($part, '.', 'value');
    my $f = $facts{$part};
    say_line "`./dev bench replication`, $f->{date}, $f->{rounds} rounds; $f->{versions}; load of the machine before it: $f->{load}.\n";
}

open my $file, '>', "$out/BENCHMARKS.md" or die "$out/BENCHMARKS.md: $!\n";
$page =~ s/\n+$/\n/;
print $file $page;
close $file;

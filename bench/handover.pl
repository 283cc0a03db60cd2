#!/usr/bin/perl
# How long nobody can write while leadership is handed over: a client writes without a pause to whichever of the two
# nodes leads, and the longest time from one acknowledged write to the next is noted for each FAILOVER.
#   handover.pl PORT PORT TIMES
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

my @ports = @ARGV[0, 1];
my $times = $ARGV[2];

sub dial {
  my ($port) = @_;
  return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp', Timeout => 2);
}

sub ask {
  my ($socket, $command) = @_;
  return '' unless $socket && print {$socket} "$command\r\n";
  my $line = <$socket>;
  return defined $line ? $line : '';
}

$SIG{PIPE} = 'IGNORE';
my $leader = 0;
my @gaps;
for my $round (1 .. $times) {
  my $writer = dial($ports[$leader]);
  my $last = time;
  my $longest = 0;
  my $asked = 0;
  my $end = time + 0.5;
  my $number = 0;
  my $handed = 0;
  while (time < $end || !$handed) {
    if (!$asked && time > $end - 0.4) {
      my $answer = ask(dial($ports[$leader]), "FAILOVER TO 127.0.0.1 $ports[1 - $leader]");
      die "FAILOVER: $answer" unless $answer =~ /^\+OK/;
      $asked = 1;
    }
    if (ask($writer, "SET handover:" . $number++ . " value") =~ /^\+OK/) {
      my $now = time;
      $longest = $now - $last if $now - $last > $longest;
      $last = $now;
      next;
    }
    die "nobody leads after 10 s\n" if time - $last > 10;
    $leader = 1 - $leader;
    $handed = 1;
    $writer = dial($ports[$leader]);
  }
  push @gaps, $longest * 1000;
  sleep 0.3;
}
@gaps = sort { $a <=> $b } @gaps;
printf "hand-over, %d times: longest time between two acknowledged writes: median %.1f ms, p99 %.1f ms, most %.1f ms (goal 100 ms)\n",
  scalar @gaps, $gaps[$#gaps / 2], $gaps[int(0.99 * $#gaps)], $gaps[-1];

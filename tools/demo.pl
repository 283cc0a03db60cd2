#!/usr/bin/env perl
# The client side of tools/demo.sh: demo.pl convert|load|compare|write|check PORT DIRECTORY [SECONDS]. Core modules only.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(time);

my ($verb, $port, $directory, $seconds) = @ARGV;
my $depth = 128;      # requests on their way at a time
my $writers = 4;
$SIG{PIPE} = 'IGNORE';

sub connection {
  return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Proto => 'tcp') // die "can't connect to port $port: $!\n";
}

sub request { return '*' . @_ . "\r\n" . join '', map { '$' . length($_) . "\r\n$_\r\n" } @_ }

# One reply, or undef when the connection has ended: the text of a simple string, a bulk string or a number.
sub reply {
  my ($socket) = @_;
  my $line = readline($socket) // return;
  return unless $line =~ /^(.)(.*)\r\n\z/s;
  my ($type, $rest) = ($1, $2);
  die "the node replies: $rest\n" if $type eq '-';
  return $rest if $type ne '$';
  return '(nil)' if $rest < 0;
  my $value = '';
  while (length $value < $rest + 2) {
    read($socket, $value, $rest + 2 - length $value, length $value) or return;
  }
  return substr $value, 0, $rest;
}

my %escape = ("\n" => '\\n', "\t" => '\\t', '"' => '\\"', '\\' => '\\\\');

sub json_text {
  my ($text) = @_;
  $text =~ s/([\x00-\x1f"\\])/$escape{$1} \/\/ sprintf '\\u%04x', ord $1/ge;
  return "\"$text\"";
}

# Makes a line for each stanza of apt-cache dumpavail: the key, a tab, and the fields as JSON.
sub convert {
  open my $in, '<', "$directory/available" or die "$directory/available: $!\n";
  open my $out, '>', "$directory/packages" or die "$directory/packages: $!\n";
  local $/ = '';
  while (my $stanza = <$in>) {
    my (%package, $field);
    for my $line (split /\n/, $stanza) {
      if ($line =~ /^\s/ && defined $field) { $package{$field} .= "\n$line" }
      elsif ($line =~ /^([^:\s]+):\s*(.*)/) { $package{$field = $1} = $2 }
    }
    next unless defined $package{Package};
    my $key = join ':', 'package', @package{qw(Package Architecture Version)};
    print $out "$key\t{", join(',', map { json_text($_) . ':' . json_text($package{$_}) } sort keys %package), "}\n";
  }
  close $out or die "$directory/packages: $!\n";
}

# Calls back with each package's key and JSON.
sub each_package {
  my ($each) = @_;
  open my $in, '<', "$directory/packages" or die "$directory/packages: $!\n";
  while (my $line = <$in>) {
    chomp $line;
    $each->(split /\t/, $line, 2);
  }
}

# Sends a request for each package and gives each reply to the callback, some requests ahead.
sub pipeline {
  my ($make, $got) = @_;
  my $socket = connection();
  my ($buffer, @open) = ('');
  my ($count, $bytes, $begin) = (0, 0, time);
  my $drain = sub {
    my ($left) = @_;
    print {$socket} $buffer or die "sending: $!\n";
    $socket->flush;
    $buffer = '';
    while (@open > $left) {
      my ($name, $value) = @{shift @open};
      $got->($name, $value, reply($socket) // die "the connection broke\n");
    }
  };
  each_package(sub {
    my ($name, $value) = @_;
    $buffer .= $make->($name, $value);
    push @open, [$name, $value];
    ++$count;
    $bytes += length $value;
    $drain->($depth / 2) if @open >= $depth;
  });
  $drain->(0);
  my $time = time - $begin;
  return sprintf '%d values, %.1f MiB, in %.2f s: %d a second', $count, $bytes / 2**20, $time, $count / $time;
}

sub load {
  my $told = pipeline(sub { request('SET', @_) }, sub { die "$_[0]: $_[2]\n" if $_[2] ne 'OK' });
  print "  written: $told\n";
}

sub compare {
  # A name may come twice (in two archives); the last one counts.
  my %last;
  each_package(sub { $last{$_[0]} = $_[1] });
  my $wrong = 0;
  my $told = pipeline(sub { request('GET', $_[0]) }, sub { ++$wrong if $_[2] ne $last{$_[0]} });
  print "  read: $told\n  different: $wrong\n";
  exit 1 if $wrong;
}

# A writer notes each acknowledged write in a file, until the connection breaks.
sub write_until_killed {
  my ($writer) = @_;
  open my $notes, '>', "$directory/acknowledged-$writer" or die "$!\n";
  my $socket = connection();
  my ($sent, $acknowledged) = (0, 0);
  while (1) {
    my $buffer = '';
    for (; $sent - $acknowledged < 32; ++$sent) { $buffer .= request('SET', "load:$writer:$sent", value_of($writer, $sent)) }
    print {$socket} $buffer or last;
    $socket->flush or last;
    for (1 .. 16) {
      my $reply = reply($socket);
      if (!defined $reply) { print $notes "$acknowledged $sent\n"; return }
      ++$acknowledged if $reply eq 'OK';
    }
  }
  # What came before the end is still there to be read.
  while (defined(my $reply = reply($socket))) { ++$acknowledged }
  print $notes "$acknowledged $sent\n";
}

sub value_of { my ($writer, $i) = @_; return "write $i of connection $writer, " . 'x' x ($i * 7 % 200) }

sub write_load {
  my $begin = time;
  my @children;
  for my $writer (1 .. $writers) {
    my $pid = fork // die "fork: $!\n";
    if (!$pid) { write_until_killed($writer); exit 0 }
    push @children, $pid;
  }
  waitpid $_, 0 for @children;
  my ($acknowledged, $sent) = totals();
  printf "  acknowledged: %d writes, %d a second; %d more were on their way\n", $acknowledged,
    $acknowledged / (time - $begin), $sent - $acknowledged;
}

sub notes {
  my ($writer) = @_;
  open my $in, '<', "$directory/acknowledged-$writer" or die "$!\n";
  return split ' ', scalar <$in>;
}

sub totals {
  my @sum = (0, 0);
  for my $writer (1 .. $writers) {
    my @both = notes($writer);
    $sum[$_] += $both[$_] for 0, 1;
  }
  return @sum;
}

sub check {
  my ($there, $missing, $wrong, $kept) = (0, 0, 0, 0);
  for my $writer (1 .. $writers) {
    my ($acknowledged, $sent) = notes($writer);
    my $socket = connection();
    for my $i (0 .. $sent - 1) {
      print {$socket} request('GET', "load:$writer:$i");
      next unless $i % $depth == $depth - 1 || $i == $sent - 1;
      $socket->flush;
      for my $j ($i - $i % $depth .. $i) {
        my $value = reply($socket) // die "the connection broke\n";
        if ($value eq value_of($writer, $j)) { $j < $acknowledged ? ++$there : ++$kept }
        elsif ($value ne '(nil)') { ++$wrong }
        elsif ($j < $acknowledged) { ++$missing }
      }
    }
  }
  print "  there: $there, missing: $missing, different: $wrong; of those not acknowledged, $kept were kept\n";
  exit 1 if $missing || $wrong || !$there;
}

my %verbs = (convert => \&convert, load => \&load, compare => \&compare, write => \&write_load, check => \&check);
($verbs{$verb // ''} // die "demo.pl convert|load|compare|write|check PORT DIRECTORY [SECONDS]\n")->();

use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(alarm);

$| = 1;
my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', Proto => 'tcp') or die $!;
my $child = fork() // die $!;
if ($child == 0) {
    my $peer = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->sockport) or die $!;
    print $peer "a line\n";
    print scalar <$peer>;
    exit 3;
}
my $peer = $server->accept;
print $peer uc <$peer>;
close $peer;
waitpid $child, 0;
print 'the client ended with ', $? >> 8, "\n";

local $SIG{ALRM} = sub { print "alarm\n" };
alarm 0.1;
select undef, undef, undef, 2;

print 'from a command: ', `echo output`;
open my $sort, '|-', 'sort -n' or die $!;
print $sort "$_\n" for 10, 9, 1;
close $sort;
system 'kill -TERM $$';
print 'a command died of signal ', $? & 127, "\n";

my @numbers = sort { $a <=> $b } map { ($_ * 7919) % 10007 } 1 .. 5000;
my %count;
$count{ $_ % 7 }++ for @numbers;
print join(' ', map {"$_:$count{$_}"} sort keys %count), "\n";
print join(' ', @numbers[0 .. 4]), "\n";

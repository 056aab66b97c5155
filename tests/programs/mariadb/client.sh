#!/bin/bash
set -eu
sql() { mariadb --no-defaults --batch --protocol=tcp -h "$host" -P "$port" -u guest -psecret things "$@"; }
host=$1 port=$2
until sql -e 'select 1' > /dev/null 2>&1; do sleep 0.2; done
sql << END
create table accounts (id int primary key, name varchar(20), amount int, key (amount)) engine = innodb;
insert into accounts select seq, concat('account ', seq), 100 from seq_1_to_500;
start transaction;
update accounts set amount = amount - 30 where id = 1;
update accounts set amount = amount + 30 where id = 2;
commit;
start transaction;
delete from accounts;
rollback;
select count(*), sum(amount), max(amount) from accounts;
select name, amount from accounts where amount <> 100 order by id;
END
sql -e "insert into accounts values (1, 'twice', 0)" 2>&1 | cut -d: -f1
echo "the client ended with $?"

-- A small shop. Every name, number and address in it is made up, from ranges reserved for examples.
CREATE ROLE gateway LOGIN PASSWORD :'password';
CREATE DATABASE shop OWNER gateway;
\connect shop
SET ROLE gateway;

CREATE TABLE customers (
    id integer PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    phone text NOT NULL,
    ssn text NOT NULL,
    tier text NOT NULL DEFAULT 'standard',
    joined date NOT NULL
);

CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    status text NOT NULL,
    total numeric(10, 2) NOT NULL,
    card text NOT NULL,
    placed_at timestamptz NOT NULL
);

INSERT INTO customers
SELECT
    n,
    (ARRAY['Ada', 'Bruno', 'Chiara', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hana'])[1 + n % 8] || ' '
        || (ARRAY['Keller', 'Lindqvist', 'Moreau', 'Novak', 'Okonkwo', 'Petrov', 'Quispe'])[1 + n % 7],
    lower((ARRAY['ada', 'bruno', 'chiara', 'dmitri', 'elif', 'farid', 'grace', 'hana'])[1 + n % 8]) || n || '@example.com',
    '+1 202-555-' || lpad((100 + n % 100)::text, 4, '0'),
    '219-09-' || lpad((1000 + n)::text, 4, '0'),
    CASE WHEN n % 10 = 0 THEN 'gold' ELSE 'standard' END,
    date '2024-01-01' + n
FROM generate_series(1, 400) AS n;

INSERT INTO orders
SELECT
    n,
    1 + n % 400,
    (ARRAY['paid', 'shipped', 'refund_pending', 'delivered'])[1 + n % 4],
    round((10 + (n * 37) % 490)::numeric + 0.99, 2),
    (ARRAY['4111 1111 1111 1111', '5555 5555 5555 4444', '3782 822463 10005'])[1 + n % 3],
    timestamptz '2026-01-01 08:00:00+00' + n * interval '17 minutes'
FROM generate_series(1, 5000) AS n;

ANALYZE;

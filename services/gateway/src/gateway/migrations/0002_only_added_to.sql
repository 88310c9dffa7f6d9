-- Whoever runs the service without owning its tables may add to these, and change nothing in them.
DO $$
DECLARE held record;
BEGIN
    FOR held IN
        SELECT DISTINCT relname, grantee::regrole AS role FROM pg_class, aclexplode(relacl)
        WHERE oid IN (SELECT unnest('{admitted,rejection}'::regclass[]))
        AND privilege_type IN ('UPDATE', 'DELETE') AND grantee NOT IN (0, relowner)
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE ON %I FROM %s', held.relname, held.role);
    END LOOP;
END
$$;

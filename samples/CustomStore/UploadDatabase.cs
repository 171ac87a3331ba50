using Microsoft.Data.Sqlite;
using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>The database file. Each call runs one transaction, which is on disk when the call returns.</summary>
internal sealed class UploadDatabase(string file)
{
    private const int SqliteFull = 13;
    private const int SqliteReadOnly = 8;
    private const int SqliteCorrupt = 11;
    private const int SqliteNotADatabase = 26;

    private readonly string _connection = new SqliteConnectionStringBuilder { DataSource = file, DefaultTimeout = 30 }.ToString();
    private readonly Lock _writeLock = new();
    private bool _tablesCreated;

    // SQLite has no asynchronous calls. A store for production would use its own threads instead of blocking those of the thread pool.
    public async ValueTask<T> RunAsync<T>(Func<UploadTransaction, T> work, CancellationToken cancellationToken) =>
        await Task.Run(() => Run(work), cancellationToken);

    private T Run<T>(Func<UploadTransaction, T> work)
    {
        // SQLite allows one writer at a time. Waiting for the lock is cheaper than the retries of SQLite.
        lock (_writeLock)
        {
            return RunInTransaction(work);
        }
    }

    private T RunInTransaction<T>(Func<UploadTransaction, T> work)
    {
        try
        {
            using var connection = new SqliteConnection(_connection);
            connection.Open();
            CreateTables(connection);
            Execute(connection, "PRAGMA synchronous = FULL");
            using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
            T result = work(new UploadTransaction(connection, transaction));
            transaction.Commit();
            return result;
        }
        catch (SqliteException e)
        {
            StoreFailure failure = e.SqliteErrorCode switch
            {
                SqliteFull => StoreFailure.Full,
                SqliteReadOnly => StoreFailure.ReadOnly,
                SqliteCorrupt or SqliteNotADatabase => StoreFailure.Corrupt,
                _ => StoreFailure.Unavailable,
            };
            throw new UploadStoreException(failure, $"SQLite failed on the database '{file}': {e.Message}", null, e);
        }
    }

    private void CreateTables(SqliteConnection connection)
    {
        if (_tablesCreated)
        {
            return;
        }

        Execute(connection, "PRAGMA journal_mode = WAL");
        Execute(
            connection,
            """
            CREATE TABLE IF NOT EXISTS uploads (
                owner TEXT NOT NULL, id TEXT NOT NULL, nonce TEXT NOT NULL, generation INTEGER, offset INTEGER,
                state INTEGER, length INTEGER, sliding INTEGER, absolute INTEGER, data BLOB, modified INTEGER,
                lease_holder TEXT, lease_renewal INTEGER, response BLOB, PRIMARY KEY (owner, id));
            CREATE TABLE IF NOT EXISTS blocks (nonce TEXT NOT NULL, start INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (nonce, start));
            """);
        _tablesCreated = true;
    }

    private static void Execute(SqliteConnection connection, string text)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }
}

/// <summary>The operations within a transaction.</summary>
internal sealed class UploadTransaction(SqliteConnection connection, SqliteTransaction transaction)
{
    private const string Columns = "owner, id, nonce, generation, offset, state, length, sliding, absolute, data, modified, lease_holder, lease_renewal";

    public int Execute(string text, UploadKey key, params (string Name, object? Value)[] values)
    {
        using SqliteCommand command = CreateCommand(text, [("$owner", key.Owner), ("$id", key.Id), .. values]);
        return command.ExecuteNonQuery();
    }

    public UploadRow? Find(UploadKey key) =>
        Read($"SELECT {Columns} FROM uploads WHERE owner = $owner AND id = $id", ("$owner", key.Owner), ("$id", key.Id)).SingleOrDefault();

    public List<UploadRow> List(string? owner, UploadKey? after, int count) => Read(
        $"""
        SELECT {Columns} FROM uploads
        WHERE ($owner IS NULL OR owner = $owner) AND (owner, id) > ($afterOwner, $afterId) ORDER BY owner, id LIMIT {count}
        """,
        ("$owner", owner), ("$afterOwner", after?.Owner ?? ""), ("$afterId", after?.Id ?? ""));

    public void Update(UploadRow row) => Execute(
        """
        UPDATE uploads SET generation = $generation, offset = $offset, state = $state, length = $length, sliding = $sliding, absolute = $absolute,
            data = $data, modified = $modified, lease_holder = $holder, lease_renewal = $renewal WHERE owner = $owner AND id = $id
        """,
        row.Key,
        ("$generation", row.Generation), ("$offset", row.Offset), ("$state", (int)row.Record.State), ("$length", row.Record.Length),
        ("$sliding", row.Record.SlidingExpiration?.Ticks), ("$absolute", row.Record.AbsoluteExpiration?.UtcTicks),
        ("$data", row.Record.Data.ToArray()), ("$modified", row.LastModifiedTicks), ("$holder", row.LeaseHolder), ("$renewal", row.LeaseRenewal));

    public byte[]? GetResponse(UploadKey key)
    {
        using SqliteCommand command = CreateCommand(
            "SELECT response FROM uploads WHERE owner = $owner AND id = $id", ("$owner", key.Owner), ("$id", key.Id));
        return command.ExecuteScalar() as byte[];
    }

    public bool CopyBlocks(UploadKey key, Stream target)
    {
        if (Find(key) is not { } row)
        {
            return false;
        }

        using SqliteCommand command = CreateCommand("SELECT bytes FROM blocks WHERE nonce = $nonce ORDER BY start", ("$nonce", row.Nonce));
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            target.Write(reader.GetFieldValue<byte[]>(0));
        }

        return true;
    }

    private List<UploadRow> Read(string text, params (string, object?)[] values)
    {
        using SqliteCommand command = CreateCommand(text, values);
        using SqliteDataReader reader = command.ExecuteReader();
        List<UploadRow> rows = [];
        while (reader.Read())
        {
            var record = new UploadRecord
            {
                State = (UploadState)reader.GetInt32(5),
                Length = reader.IsDBNull(6) ? null : reader.GetInt64(6),
                SlidingExpiration = reader.IsDBNull(7) ? null : TimeSpan.FromTicks(reader.GetInt64(7)),
                AbsoluteExpiration = reader.IsDBNull(8) ? null : new DateTimeOffset(reader.GetInt64(8), TimeSpan.Zero),
                Data = reader.GetFieldValue<byte[]>(9),
            };
            rows.Add(new UploadRow(
                new UploadKey(reader.GetString(0), reader.GetString(1)),
                reader.GetString(2),
                reader.GetInt64(3),
                reader.GetInt64(4),
                record,
                reader.GetInt64(10),
                reader.IsDBNull(11) ? null : reader.GetString(11),
                reader.GetInt64(12)));
        }

        return rows;
    }

    private SqliteCommand CreateCommand(string text, params (string Name, object? Value)[] values)
    {
        SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = text;
        foreach ((string name, object? value) in values)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }
}

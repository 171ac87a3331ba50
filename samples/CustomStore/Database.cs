using Microsoft.Data.Sqlite;
using ResumableUploads.Abstractions;

namespace CustomStore;

/// <summary>The database file. Each piece of work is one transaction, and is on the disk when it ends.</summary>
internal sealed class Database(string file)
{
    private const int Full = 13;
    private const int ReadOnly = 8;
    private const int Corrupt = 11;
    private const int NoDatabase = 26;

    private readonly string _connection = new SqliteConnectionStringBuilder { DataSource = file, DefaultTimeout = 30 }.ToString();
    private readonly Lock _working = new();
    private bool _isMade;

    // SQLite has no asynchronous calls: it blocks a thread of the pool, and not the one that serves the request.
    public async ValueTask<T> RunAsync<T>(Func<Work, T> work, CancellationToken cancellationToken) =>
        await Task.Run(() => Run(work), cancellationToken);

    private T Run<T>(Func<Work, T> work)
    {
        // The database has one writer at a time, and waiting for it in here is cheaper than asking again and again.
        lock (_working)
        {
            return Transact(work);
        }
    }

    private T Transact<T>(Func<Work, T> work)
    {
        try
        {
            using var connection = new SqliteConnection(_connection);
            connection.Open();
            Make(connection);
            Execute(connection, "PRAGMA synchronous = FULL");
            using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
            T result = work(new Work(connection, transaction));
            transaction.Commit();
            return result;
        }
        catch (SqliteException e)
        {
            StoreFailure failure = e.SqliteErrorCode switch
            {
                Full => StoreFailure.Full,
                ReadOnly => StoreFailure.ReadOnly,
                Corrupt or NoDatabase => StoreFailure.Corrupt,
                _ => StoreFailure.Unavailable,
            };
            throw new UploadStoreException(failure, $"The database '{file}' failed: {e.Message}", null, e);
        }
    }

    private void Make(SqliteConnection connection)
    {
        if (_isMade)
        {
            return;
        }

        Execute(connection, "PRAGMA journal_mode = WAL");
        Execute(
            connection,
            """
            CREATE TABLE IF NOT EXISTS uploads (
                owner TEXT NOT NULL, id TEXT NOT NULL, nonce TEXT NOT NULL, generation INTEGER, size INTEGER,
                state INTEGER, length INTEGER, sliding INTEGER, absolute INTEGER, data BLOB, changed INTEGER,
                writer TEXT, writer_until INTEGER, outcome BLOB, PRIMARY KEY (owner, id));
            CREATE TABLE IF NOT EXISTS blocks (nonce TEXT NOT NULL, start INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (nonce, start));
            """);
        _isMade = true;
    }

    private static void Execute(SqliteConnection connection, string text)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }
}

/// <summary>What can be done in one transaction.</summary>
internal sealed class Work(SqliteConnection connection, SqliteTransaction transaction)
{
    private const string Columns = "owner, id, nonce, generation, size, state, length, sliding, absolute, data, changed, writer, writer_until";

    public int Execute(string text, UploadKey key, params (string Name, object? Value)[] values)
    {
        using SqliteCommand command = Command(text, [("$owner", key.Owner), ("$id", key.Id), .. values]);
        return command.ExecuteNonQuery();
    }

    public Row? Find(UploadKey key) =>
        Read($"SELECT {Columns} FROM uploads WHERE owner = $owner AND id = $id", ("$owner", key.Owner), ("$id", key.Id)).SingleOrDefault();

    public List<Row> List(string? owner, UploadKey? after, int count) => Read(
        $"""
        SELECT {Columns} FROM uploads
        WHERE ($owner IS NULL OR owner = $owner) AND (owner, id) > ($afterOwner, $afterId) ORDER BY owner, id LIMIT {count}
        """,
        ("$owner", owner), ("$afterOwner", after?.Owner ?? ""), ("$afterId", after?.Id ?? ""));

    public void Write(Row row) => Execute(
        """
        UPDATE uploads SET generation = $generation, size = $size, state = $state, length = $length, sliding = $sliding, absolute = $absolute,
            data = $data, changed = $changed, writer = $writer, writer_until = $until WHERE owner = $owner AND id = $id
        """,
        row.Key,
        ("$generation", row.Generation), ("$size", row.Size), ("$state", (int)row.Record.State), ("$length", row.Record.Length),
        ("$sliding", row.Record.SlidingExpiration?.Ticks), ("$absolute", row.Record.AbsoluteExpiration?.UtcTicks),
        ("$data", row.Record.Data.ToArray()), ("$changed", row.Changed), ("$writer", row.Writer), ("$until", row.WriterUntil));

    public byte[]? Outcome(UploadKey key)
    {
        using SqliteCommand command = Command(
            "SELECT outcome FROM uploads WHERE owner = $owner AND id = $id", ("$owner", key.Owner), ("$id", key.Id));
        return command.ExecuteScalar() as byte[];
    }

    public bool CopyBlocks(UploadKey key, Stream target)
    {
        if (Find(key) is not { } row)
        {
            return false;
        }

        using SqliteCommand command = Command("SELECT bytes FROM blocks WHERE nonce = $nonce ORDER BY start", ("$nonce", row.Nonce));
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            target.Write(reader.GetFieldValue<byte[]>(0));
        }

        return true;
    }

    private List<Row> Read(string text, params (string, object?)[] values)
    {
        using SqliteCommand command = Command(text, values);
        using SqliteDataReader reader = command.ExecuteReader();
        List<Row> rows = [];
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
            rows.Add(new Row(
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

    private SqliteCommand Command(string text, params (string Name, object? Value)[] values)
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

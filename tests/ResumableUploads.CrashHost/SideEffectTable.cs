using Microsoft.Data.Sqlite;

namespace ResumableUploads.CrashHost;

/// <summary>The side effects of the endpoint: a row for each upload and a row for each run.</summary>
internal sealed class SideEffectTable
{
    private readonly string _connection;

    public SideEffectTable(string directory)
    {
        Directory.CreateDirectory(directory);
        _connection = new SqliteConnectionStringBuilder { DataSource = Path.Combine(directory, "effects.db") }.ToString();
        Execute("CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, hash TEXT NOT NULL, size INTEGER NOT NULL)");
        Execute("CREATE TABLE IF NOT EXISTS runs (key TEXT NOT NULL, attempt INTEGER NOT NULL, is_repeat INTEGER NOT NULL)");
        Execute("CREATE TABLE IF NOT EXISTS parked (key TEXT NOT NULL, hash TEXT NOT NULL)");
    }

    public void AddRun(string key, int attempt, bool isRepeat) =>
        Execute("INSERT INTO runs (key, attempt, is_repeat) VALUES ($key, $attempt, $repeat)", ("$key", key), ("$attempt", attempt), ("$repeat", isRepeat));

    /// <summary>Writes the row of an upload. Idempotent, because the handler can run more than once.</summary>
    public void AddEffect(string key, string hash, long size) =>
        Execute("INSERT INTO effects (key, hash, size) VALUES ($key, $hash, $size) ON CONFLICT DO NOTHING", ("$key", key), ("$hash", hash), ("$size", size));

    public void AddDeadLettered(string key, string hash) =>
        Execute("INSERT INTO parked (key, hash) VALUES ($key, $hash)", ("$key", key), ("$hash", hash));

    private void Execute(string sql, params (string Name, object Value)[] parameters)
    {
        using var connection = new SqliteConnection(_connection);
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // All statements are constants.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach ((string name, object value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        command.ExecuteNonQuery();
    }
}

using Microsoft.Data.Sqlite;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>What the endpoint of the app in the other process has left, read from its table.</summary>
/// <param name="directory">Where the app was told to keep it.</param>
internal sealed class EndpointEffects(string directory)
{
    private readonly string _connection = new SqliteConnectionStringBuilder
    {
        DataSource = Path.Combine(directory, "effects.db"),
        Mode = SqliteOpenMode.ReadWrite,
        Pooling = false,
    }.ToString();

    /// <summary>The hashes that were written for an upload: one, where all is well.</summary>
    public IReadOnlyList<string> HashesOf(string key) =>
        Read("SELECT hash FROM effects WHERE key = $key", key, static row => row.GetString(0));

    /// <summary>Every start of the handler, in order: how often it was started by then as it was told, and whether that was a repeat.</summary>
    public IReadOnlyList<(int Attempt, bool IsRepeat)> RunsOf(string key) =>
        Read("SELECT attempt, is_repeat FROM runs WHERE key = $key ORDER BY rowid", key, static row => (row.GetInt32(0), row.GetBoolean(1)));

    /// <summary>The hashes of what was given up.</summary>
    public IReadOnlyList<string> ParkedOf(string key) =>
        Read("SELECT hash FROM parked WHERE key = $key", key, static row => row.GetString(0));

    /// <summary>How many uploads have had an effect.</summary>
    public int Count => Read("SELECT key FROM effects WHERE $key = ''", "", static row => row.GetString(0)).Count;

    private List<T> Read<T>(string sql, string key, Func<SqliteDataReader, T> read)
    {
        using var connection = new SqliteConnection(_connection);
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // All of them are constants above.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.Parameters.AddWithValue("$key", key);
        using SqliteDataReader rows = command.ExecuteReader();
        var found = new List<T>();
        while (rows.Read())
        {
            found.Add(read(rows));
        }

        return found;
    }
}

using Microsoft.Data.Sqlite;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>Reads the side effects that the endpoint in the other process has written to its table.</summary>
/// <param name="directory">The directory of the table.</param>
internal sealed class EndpointEffects(string directory)
{
    private readonly string _connection = new SqliteConnectionStringBuilder
    {
        DataSource = Path.Combine(directory, "effects.db"),
        Mode = SqliteOpenMode.ReadWrite,
        Pooling = false,
    }.ToString();

    /// <summary>Returns the hashes written for an upload: exactly one is correct.</summary>
    public IReadOnlyList<string> HashesOf(string key) =>
        Read("SELECT hash FROM effects WHERE key = $key", key, static row => row.GetString(0));

    /// <summary>Returns every start of the handler in order: the attempt number that it received, and whether it was a repeat.</summary>
    public IReadOnlyList<(int Attempt, bool IsRepeat)> RunsOf(string key) =>
        Read("SELECT attempt, is_repeat FROM runs WHERE key = $key ORDER BY rowid", key, static row => (row.GetInt32(0), row.GetBoolean(1)));

    /// <summary>Returns the hashes of dead-lettered uploads.</summary>
    public IReadOnlyList<string> DeadLettersOf(string key) =>
        Read("SELECT hash FROM parked WHERE key = $key", key, static row => row.GetString(0));

    /// <summary>Gets the number of uploads with an effect.</summary>
    public int Count => Read("SELECT key FROM effects WHERE $key = ''", "", static row => row.GetString(0)).Count;

    private List<T> Read<T>(string sql, string key, Func<SqliteDataReader, T> read)
    {
        using var connection = new SqliteConnection(_connection);
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // All commands are constants.
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

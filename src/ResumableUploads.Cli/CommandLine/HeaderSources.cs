namespace ResumableUploads.Cli.CommandLine;

/// <summary>Collects the request headers of the user: <c>RESUP_HEADERS</c>, then <c>--header-file</c>, then <c>--header</c>. Later ones replace earlier ones with the same name.</summary>
/// <param name="fromArguments">The values of <c>--header</c>.</param>
/// <param name="file">The path of the header file, or null.</param>
/// <param name="fromEnvironment">The value of the environment variable, or null.</param>
internal sealed class HeaderSources(IEnumerable<string> fromArguments, string? file, string? fromEnvironment)
{
    public const string Variable = "RESUP_HEADERS";
    private const int MaxFileSize = 64 * 1024;

    public string? File => file;

    /// <summary>Reads all sources.</summary>
    /// <exception cref="UsageException">A source is invalid.</exception>
    public Dictionary<string, string> Read()
    {
        Dictionary<string, string> headers = HeaderList.Parse((fromEnvironment ?? "").Split('\n'), Variable);
        foreach ((string name, string value) in ReadFile().Concat(HeaderList.Parse(fromArguments, "--header")))
        {
            headers[name] = value;
        }

        return headers;
    }

    private Dictionary<string, string> ReadFile()
    {
        if (file is null)
        {
            return [];
        }

        try
        {
            // The path can be a pipe of a password manager.
            using var reader = new StreamReader(file);
            char[] buffer = new char[MaxFileSize + 1];
            int count = reader.ReadBlock(buffer);
            return count <= MaxFileSize
                ? HeaderList.Parse(new string(buffer, 0, count).Split('\n'), "--header-file")
                : throw new UsageException($"--header-file: '{file}' is larger than {MaxFileSize} characters.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--header-file: {e.Message}", e);
        }
    }
}

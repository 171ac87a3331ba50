using System.CommandLine;

namespace ResumableUploads.Cli.CommandLine;

/// <summary>The arguments and options of the command line.</summary>
internal sealed class CommandSymbols
{
    private const int MaxConcurrency = 64;
    private const int MaxRetries = 1_000_000;

    public Argument<string[]> Paths { get; } = new("FILE")
    {
        Description = "Files and folders. - is standard input.",
        Arity = ArgumentArity.OneOrMore,
    };

    public Option<string> To { get; } = new("--to")
    {
        Description = "The URL of the upload endpoint.",
        HelpName = "URL",
        Required = true,
    };

    public Option<string> Protocol { get; } = new("--protocol")
    {
        Description = "file-id, tus or ietf.",
        HelpName = "PROTOCOL",
        DefaultValueFactory = static _ => "file-id",
    };

    public Option<string[]> Header { get; } = new("--header", "-H")
    {
        Description = "A request header, 'Name: value'. Repeatable. Other users can see it in the list of processes: use --header-file or RESUP_HEADERS for secrets.",
        HelpName = "HEADER",
    };

    public Option<string> HeaderFile { get; } = new("--header-file")
    {
        Description = "A file with a request header per line. It is read again after a response with status code 401.",
        HelpName = "PATH",
    };

    public Option<string> Id { get; } = new("--id")
    {
        Description = "The id under which the upload of the only file is continued. Required to continue standard input.",
        HelpName = "ID",
    };

    public Option<bool> FollowLinks { get; } = new("--follow-links") { Description = "Follow symbolic links in folders." };

    public Option<bool> Json { get; } = new("--json") { Description = "Print one JSON object per line." };

    public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "Print errors only. With --json: no started, progress and retry events." };

    public Option<bool> NoColor { get; } = new("--no-color") { Description = "Print without colors. The environment variable NO_COLOR does the same." };

    public Option<int> Retries { get; } = new("--retries")
    {
        Description = "The maximum number of consecutive retries without progress.",
        HelpName = "N",
        DefaultValueFactory = static _ => CommandSettings.DefaultRetries,
    };

    public Option<int> Concurrency { get; } = new("--concurrency", "-c")
    {
        Description = $"The maximum number of concurrent uploads, 1 to {MaxConcurrency}.",
        HelpName = "N",
        DefaultValueFactory = static _ => CommandSettings.DefaultConcurrency,
    };

    public Option<string> ChunkSize { get; } = new("--chunk-size")
    {
        Description = "The maximum size of a request body, for example 8MiB. Default: no limit. Standard input: 4MiB.",
        HelpName = "SIZE",
    };

    public Option<string> Digest { get; } = new("--digest")
    {
        Description = "sha-256 or sha-512: send a digest of each file, which the server verifies.",
        HelpName = "ALGORITHM",
    };

    public Option<string> Method { get; } = new("--method")
    {
        Description = "POST, PUT or PATCH: the method of the endpoint. Ignored by tus.",
        HelpName = "METHOD",
        DefaultValueFactory = static _ => "POST",
    };

    public Option<string> Name { get; } = new("--name")
    {
        Description = "The name of the only file for the server. Default: its own name.",
        HelpName = "NAME",
    };

    public Option<string> ContentType { get; } = new("--content-type")
    {
        Description = "The media type of the files.",
        HelpName = "TYPE",
    };

    public Option<string> Size { get; } = new("--size")
    {
        Description = "The size of standard input, if it is known.",
        HelpName = "SIZE",
    };

    public Option<bool> AllowOtherHosts { get; } = new("--allow-other-hosts")
    {
        Description = "Allow uploads that the server creates on another host. That host receives the request headers, such as access tokens.",
    };

    public Option<bool> Insecure { get; } = new("--insecure", "-k") { Hidden = true };

    /// <summary>Adds the symbols of a command.</summary>
    public void AddTo(Command command, CommandKind kind)
    {
        command.Arguments.Add(Paths);
        command.Options.Add(To);
        command.Options.Add(Protocol);
        command.Options.Add(Header);
        command.Options.Add(HeaderFile);
        if (kind == CommandKind.Upload)
        {
            command.Options.Add(Concurrency);
            command.Options.Add(ChunkSize);
            command.Options.Add(Digest);
            command.Options.Add(Method);
            command.Options.Add(Name);
            command.Options.Add(ContentType);
            command.Options.Add(Size);
            command.Options.Add(AllowOtherHosts);
        }

        command.Options.Add(Id);
        command.Options.Add(Retries);
        command.Options.Add(FollowLinks);
        command.Options.Add(Json);
        command.Options.Add(Quiet);
        command.Options.Add(NoColor);
        command.Options.Add(Insecure);
    }

    public CommandSymbols()
    {
        RequireRange(Concurrency, 1, MaxConcurrency);
        RequireRange(Retries, 0, MaxRetries);
        Insecure.Validators.Add(static result =>
        {
            if (!result.Implicit)
            {
                result.AddError(
                    "--insecure does not exist. If the certificate is from a private authority, add the certificate of the authority to the trust store of the system or, on Linux, to a file that SSL_CERT_FILE names.");
            }
        });
    }

    private static void RequireRange(Option<int> option, int min, int max) => option.Validators.Add(result =>
    {
        // A value that is no number has an error of its own.
        if (result.Tokens is [var token] && int.TryParse(token.Value, out int value) && (value < min || value > max))
        {
            result.AddError($"{option.Name} must be {min} to {max}.");
        }
    });
}

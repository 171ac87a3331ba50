using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Net.Http.Headers;
using ResumableUploads.Cli.Files;
using ResumableUploads.Client;

namespace ResumableUploads.Cli.CommandLine;

/// <summary>Parses the command line.</summary>
internal static class ArgumentParser
{
    private static readonly Dictionary<string, UploadProtocol> Protocols = new(StringComparer.OrdinalIgnoreCase)
    {
        ["file-id"] = UploadProtocol.FileId, ["tus"] = UploadProtocol.Tus, ["ietf"] = UploadProtocol.Ietf,
    };

    private static readonly Dictionary<string, UploadDigest> Digests = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sha-256"] = UploadDigest.Sha256, ["sha-512"] = UploadDigest.Sha512,
    };

    private static readonly Dictionary<string, HttpMethod> Methods = new(StringComparer.OrdinalIgnoreCase)
    {
        ["POST"] = HttpMethod.Post, ["PUT"] = HttpMethod.Put, ["PATCH"] = HttpMethod.Patch,
    };

    /// <summary>Parses arguments. If they request help or the version, or have errors, the text is printed and the exit code is returned instead of settings.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="environment">Returns an environment variable.</param>
    /// <param name="output">Receives help and the version.</param>
    /// <exception cref="UsageException">The arguments are invalid.</exception>
    public static CommandSettings? Parse(string[] arguments, Func<string, string?> environment, TextWriter output)
    {
        var symbols = new CommandSymbols();
        CommandKind kind = GetKind(arguments);
        Command command = CreateCommand(symbols, kind);

        // Files can have any name, also one that starts with @, and one that is the name of a command.
        ParseResult result = command.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Action is not null and not ParseErrorAction)
        {
            result.Invoke(new InvocationConfiguration { Output = output, EnableDefaultExceptionHandler = false });
            return null;
        }

        return result.Errors.Count == 0
            ? Read(result, symbols, kind, environment)
            : throw new UsageException(string.Join('\n', result.Errors.Select(static error => error.Message).Distinct()));
    }

    /// <summary>Only the first argument can be the name of a command.</summary>
    private static CommandKind GetKind(string[] arguments) => arguments switch
    {
        ["status", ..] => CommandKind.Status,
        ["cancel", ..] => CommandKind.Cancel,
        _ => CommandKind.Upload,
    };

    /// <summary>Returns an option that the parser has taken for a file, or null.</summary>
    private static string? FindUnknownOption(ParseResult result, string[] paths) => result.Tokens
        .TakeWhile(static token => token.Type != TokenType.DoubleDash)
        .Select(static token => token.Value)
        .Where(static value => value is ['-', _, ..])
        .Intersect(paths, StringComparer.Ordinal)
        .FirstOrDefault();

    private static Command CreateCommand(CommandSymbols symbols, CommandKind kind)
    {
        Command command = kind switch
        {
            CommandKind.Status => new Command("status", "Prints how much of each file the server has."),
            CommandKind.Cancel => new Command("cancel", "Deletes unfinished uploads of the files from the server."),
            _ => new Command("resup", "Uploads files and folders. The same command continues an upload that was interrupted."),
        };
        symbols.AddTo(command, kind);
        command.Options.Add(new HelpOption { Action = new HelpTextAction(kind) });
        if (kind == CommandKind.Upload)
        {
            command.Options.Add(new VersionOption { Action = new VersionAction() });
            return command;
        }

        return new Command("resup") { command };
    }

    private static CommandSettings Read(ParseResult result, CommandSymbols symbols, CommandKind kind, Func<string, string?> environment)
    {
        string[] paths = [.. result.GetRequiredValue(symbols.Paths).Distinct(StringComparer.Ordinal)];
        string? unknown = FindUnknownOption(result, paths);
        Require(unknown is null, $"Unknown option {unknown}. If it is a file, put it after --, or write ./{unknown}.");
        Require(paths.All(static path => path.Length > 0), "A file name is empty.");
        var settings = new CommandSettings(kind, paths, ParseUrl(result.GetRequiredValue(symbols.To)))
        {
            Protocol = Find(Protocols, result.GetRequiredValue(symbols.Protocol), symbols.Protocol.Name),
            Headers = new HeaderSources(result.GetValue(symbols.Header) ?? [], result.GetValue(symbols.HeaderFile), environment(HeaderSources.Variable)),
            Id = result.GetValue(symbols.Id),
            Retries = result.GetValue(symbols.Retries),
            FollowLinks = result.GetValue(symbols.FollowLinks),
            Output = new OutputSettings
            {
                Json = result.GetValue(symbols.Json),
                Quiet = result.GetValue(symbols.Quiet),
                NoColor = result.GetValue(symbols.NoColor) || environment("NO_COLOR") is { Length: > 0 },
            },
        };
        settings = kind == CommandKind.Upload ? ReadUpload(result, symbols, settings) : settings;
        Require(settings.Id is null || (settings.Id.Length > 0 && paths.Length == 1), "--id requires exactly one file.");
        Require(settings.Name is null || (settings.Name.Length > 0 && paths.Length == 1), "--name requires exactly one file.");
        Require(kind == CommandKind.Upload || !paths.Contains(UploadItem.StandardInput) || settings.Id is not null, "Standard input has no upload that can be found, unless --id names it.");
        return settings;
    }

    private static CommandSettings ReadUpload(ParseResult result, CommandSymbols symbols, CommandSettings settings)
    {
        long? chunkSize = ParseSize(result.GetValue(symbols.ChunkSize), symbols.ChunkSize.Name);
        Require(chunkSize is null or > 0 and <= int.MaxValue, $"{symbols.ChunkSize.Name} must be 1 to {int.MaxValue} bytes.");
        long? size = ParseSize(result.GetValue(symbols.Size), symbols.Size.Name);
        Require(size is null || settings.Paths is [UploadItem.StandardInput], "--size is only for standard input.");
        string? contentType = result.GetValue(symbols.ContentType);
        Require(contentType is null || MediaTypeHeaderValue.TryParse(contentType, out _), "--content-type is not a media type.");
        return settings with
        {
            Concurrency = result.GetValue(symbols.Concurrency),
            ChunkSize = (int?)chunkSize,
            Digest = result.GetValue(symbols.Digest) is { } digest ? Find(Digests, digest, symbols.Digest.Name) : UploadDigest.None,
            Method = Find(Methods, result.GetRequiredValue(symbols.Method), symbols.Method.Name),
            Name = result.GetValue(symbols.Name),
            ContentType = contentType,
            Size = size,
            AllowOtherHosts = result.GetValue(symbols.AllowOtherHosts),
        };
    }

    private static Uri ParseUrl(string text)
    {
        Require(Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https", "--to must be an absolute http or https URL.");

        // HttpClient would ignore it, and it would be part of messages.
        Require(url!.UserInfo.Length == 0, "--to must not contain a user name or password. Use an Authorization header.");
        return url;
    }

    private static long? ParseSize(string? text, string option) =>
        text is null ? null : ByteSize.Parse(text) ?? throw new UsageException($"{option} must be a size, such as 8MiB.");

    private static T Find<T>(Dictionary<string, T> values, string name, string option) =>
        values.TryGetValue(name, out T? value) ? value : throw new UsageException($"{option} must be {string.Join(", ", values.Keys.SkipLast(1))} or {values.Keys.Last()}.");

    private static void Require(bool isValid, string problem)
    {
        if (!isValid)
        {
            throw new UsageException(problem);
        }
    }

    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(Product.Version);
            return 0;
        }
    }
}

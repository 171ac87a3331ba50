using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ResumableUploads.Cli.CommandLine;

/// <summary>Prints the help of a command, with examples, environment variables and exit codes.</summary>
internal sealed class HelpTextAction(CommandKind kind) : SynchronousCommandLineAction
{
    private const string Commands = """
        Commands:
          resup FILE... --to URL          Upload.
          resup status FILE... --to URL   Print how much of each file the server has.
          resup cancel FILE... --to URL   Delete unfinished uploads from the server.

          A file that is named status or cancel: resup ./status --to URL

        Examples:
          resup movie.mp4 --to https://example.com/upload
          resup photos/ notes.txt --to https://example.com/upload --protocol tus --concurrency 4
          tar c photos | resup - --to https://example.com/upload --name photos.tar
          RESUP_HEADERS="Authorization: Bearer $TOKEN" resup movie.mp4 --to https://example.com/upload

        Ctrl-C pauses. The same command continues. A second Ctrl-C ends the command at once.
        """;

    private const string Environment = """
        Environment variables:
          RESUP_HEADERS                        Request headers, one per line.
          HTTPS_PROXY, HTTP_PROXY, NO_PROXY    The proxy.
          SSL_CERT_FILE, SSL_CERT_DIR          Trusted certificates instead of those of the system (Linux).
          XDG_STATE_HOME                       Where the states of unfinished uploads are kept.
          NO_COLOR                             No colors.

        Exit codes:
          0    Everything has succeeded.
          1    At least one file has failed.
          2    The command line is wrong, or a file does not exist. Nothing was sent.
          3    Paused by Ctrl-C or SIGTERM. The same command continues.
          4    The server requires authentication.
          5    The server is unavailable. The same command continues.
          130  A second Ctrl-C has ended the command at once (SIGTERM: 143).
        """;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        TextWriter output = parseResult.InvocationConfiguration.Output;
        new HelpAction().Invoke(parseResult);
        if (kind == CommandKind.Upload)
        {
            output.WriteLine(Commands);
            output.WriteLine();
        }

        output.WriteLine(Environment);
        return 0;
    }
}

using ResumableUploads.Cli.CommandLine;
using ResumableUploads.Cli.Files;
using ResumableUploads.Cli.Output;
using ResumableUploads.Cli.Running;

namespace ResumableUploads.Cli;

/// <summary>Runs the command.</summary>
internal sealed class Application(CommandEnvironment environment)
{
    /// <param name="arguments">The arguments of the command line.</param>
    /// <param name="pause">The token that pauses the run.</param>
    public async Task<ExitCode> RunAsync(string[] arguments, CancellationToken pause)
    {
        try
        {
            return ArgumentParser.Parse(arguments, environment.GetVariable, environment.Output) is { } settings
                ? await RunAsync(settings, pause)
                : ExitCode.Succeeded;
        }
        catch (UsageException e)
        {
            PrintError(e);
            await environment.Error.WriteLineAsync("Run 'resup --help' for help.");
            return ExitCode.Usage;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A file has disappeared, or the states of uploads cannot be stored.
            PrintError(e);
            return ExitCode.Failed;
        }
    }

    private void PrintError(Exception exception)
    {
        foreach (string line in exception.Message.Split('\n'))
        {
            environment.Error.WriteLine($"resup: {TerminalText.Escape(line)}");
        }
    }

    private async Task<ExitCode> RunAsync(CommandSettings settings, CancellationToken pause)
    {
        var headers = new HeaderProvider(settings.Headers);
        var files = new FileCollector(settings.FollowLinks);
        foreach (string path in settings.Paths)
        {
            files.Add(path);
        }

        if (files.Items.Count == 0)
        {
            throw new UsageException(string.Join('\n', files.Problems.Select(static problem => $"{problem.DisplayPath}: {problem.Message}").Append("There are no files to upload.")));
        }

        var state = new StateDirectory(StateDirectory.GetPath(environment.GetVariable));
        state.DeleteOldFiles(environment.TimeProvider);
        using HttpClient httpClient = HttpClientFactory.Create();
        await using IRunOutput output = OutputFactory.Create(settings.Output, environment);
        return await RunAsync(new RunContext(settings, httpClient, state, output, headers) { TimeProvider = environment.TimeProvider }, files, pause);
    }

    private async Task<ExitCode> RunAsync(RunContext context, FileCollector files, CancellationToken pause)
    {
        if (context.Settings.Kind == CommandKind.Upload)
        {
            context.Output.Start(files.Items.Count, files.Items.Sum(static item => item.Length ?? 0));
        }

        var totals = new RunTotals(files.Items.Count + files.Problems.Count(static problem => problem.IsError));
        Report(files.Problems, context.Output, totals);
        Task run = RunAsync(context, files.Items, totals, pause);
        using var ended = new CancellationTokenSource();
        Task paused = Task.Delay(Timeout.InfiniteTimeSpan, environment.TimeProvider, pause).ContinueWith(
            async _ => await Task.Delay(environment.PauseTimeout, environment.TimeProvider, ended.Token), TaskScheduler.Default).Unwrap();
        await await Task.WhenAny(run, paused);
        await ended.CancelAsync();

        ExitCode exitCode = totals.GetExitCode(pause.IsCancellationRequested);
        if (context.Settings.Kind == CommandKind.Upload || context.Settings.Output.Json)
        {
            context.Output.Write(totals.ToEvent(exitCode));
        }

        return exitCode;
    }

    private static void Report(IReadOnlyList<FileProblem> problems, IRunOutput output, RunTotals totals)
    {
        foreach (FileProblem problem in problems)
        {
            if (problem.IsError)
            {
                totals.AddFailed(null);
            }

            output.Write(new CliEvent(problem.IsError ? EventKind.Failed : EventKind.Warning)
            {
                Path = problem.DisplayPath,
                Reason = problem.IsError ? "io-error" : null,
                Message = problem.Message,
            });
        }
    }

    private static async Task RunAsync(RunContext context, IReadOnlyList<UploadItem> items, RunTotals totals, CancellationToken pause)
    {
        if (context.Settings.Kind == CommandKind.Upload)
        {
            using var upload = new UploadRun(context, items, totals);
            await upload.RunAsync(pause);
            return;
        }

        var status = new StatusRun(context, items, totals);
        await (context.Settings.Kind == CommandKind.Status ? status.PrintAsync(pause) : status.CancelAsync(pause));
    }
}

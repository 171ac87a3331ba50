using Spectre.Console;
using Spectre.Console.Rendering;

namespace ResumableUploads.Cli.Output;

/// <summary>Prints to a terminal: progress bars of the running uploads, and above them a line for each result.</summary>
internal sealed class TerminalOutput(IAnsiConsole console, TimeProvider timeProvider) : IRunOutput
{
    private const int NarrowWidth = 80;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ProgressTask> _tasks = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ProgressContext? _context;
    private ProgressTask? _total;
    private Task _display = Task.CompletedTask;

    public void Start(int count, long size)
    {
        var started = new TaskCompletionSource<ProgressContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        _display = Task.Run(() => console.Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .ExcludeVerticalPadding(true)
            .Columns(CreateColumns(console.Profile.Width))
            .StartAsync(async context =>
            {
                started.SetResult(context);
                await _end.Task;
            }));
        _context = started.Task.GetAwaiter().GetResult();
        if (count > 1)
        {
            _total = AddTask($"Total ({count} files)", size);
        }
    }

    public void Write(CliEvent entry)
    {
        lock (_lock)
        {
            switch (entry.Event)
            {
                case EventKind.Started when _context is not null:
                    _tasks[entry.Path!] = AddTask(TerminalText.Escape(entry.Path!), entry.Size);
                    break;
                case EventKind.Progress:
                    Advance(entry.Path!, entry.Offset ?? 0);
                    break;
                case EventKind.Completed or EventKind.Failed or EventKind.Paused:
                    Remove(entry);
                    break;
                default:
                    break;
            }

            if (GetMark(entry) is var (mark, style) && EventText.Format(entry) is { } line)
            {
                // Spaces up to the end of the line replace the bar that was there.
                console.Write(new Rows(new Align(new Paragraph().Append(mark, style).Append(line), HorizontalAlignment.Left)));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _end.TrySetResult();
        await _display;
    }

    private static (string Mark, Style Style)? GetMark(CliEvent entry) => entry.Event switch
    {
        EventKind.Completed => ("✓ ", Color.Green),
        EventKind.Canceled => ("✓ ", Color.Green),
        EventKind.Failed => ("✗ ", Color.Red),
        EventKind.Paused => ("‖ ", Color.Yellow),
        EventKind.Warning or EventKind.Retry => ("! ", Color.Yellow),
        EventKind.Status => ("  ", Style.Plain),
        EventKind.Summary => ("", Style.Plain),
        _ => null,
    };

    private static ProgressColumn[] CreateColumns(int width)
    {
        // A third for the name; the other columns of a wide terminal need about 65 characters.
        int name = Math.Clamp(width < NarrowWidth ? width / 3 : width - 68, 12, 50);
        var columns = new List<ProgressColumn>
        {
            new TextColumn(name, Justify.Left, row => TerminalText.Shorten(row.Title, name)),
            new ProgressBarColumn { Width = Math.Clamp(width / 5, 8, 30), CompletedStyle = Color.Green, FinishedStyle = Color.Green },
            new TextColumn(4, Justify.Right, static row => row.Size is { } size ? EventText.Percent(row.Offset, size) : ""),
        };
        if (width >= NarrowWidth)
        {
            columns.Add(new TextColumn(23, Justify.Right, static row => row.FormatBytes()));
            columns.Add(new TextColumn(12, Justify.Right, static row => row.FormatRate()));
            columns.Add(new TextColumn(8, Justify.Right, static row => row.FormatRemaining()));
        }

        return [.. columns];
    }

    private ProgressTask AddTask(string title, long? size)
    {
        // A size of 0 would make the task finish at its start.
        ProgressTask task = _context!.AddTask("file", maxValue: Math.Max(1, size ?? 1));
        task.IsIndeterminate = size is null;
        task.Tag = new ProgressRow(title, size, timeProvider);
        return task;
    }

    private void Advance(string path, long offset)
    {
        if (!_tasks.TryGetValue(path, out ProgressTask? task) || task.Tag is not ProgressRow row)
        {
            return;
        }

        long before = row.Offset;
        long sent = row.Advance(offset);
        SetValue(task, row);
        if (row.Size is not null)
        {
            AddToTotal(offset - before, sent);
        }
    }

    private void AddToTotal(long change, long sent)
    {
        if (_total?.Tag is ProgressRow total)
        {
            total.Add(change, sent);
            SetValue(_total, total);
        }
    }

    /// <summary>Only the end of an upload completes its bar, which is hidden then.</summary>
    private static void SetValue(ProgressTask task, ProgressRow row)
    {
        if (row.Size is { } size)
        {
            task.Value = Math.Min(row.Offset, Math.Max(1, size) * 0.9999);
        }
    }

    private void Remove(CliEvent entry)
    {
        if (_tasks.Remove(entry.Path!, out ProgressTask? task))
        {
            if (task.Tag is ProgressRow { Size: { } size } row && entry.Event == EventKind.Completed)
            {
                AddToTotal(size - row.Offset, 0);
            }

            task.StopTask();
        }
        else if (entry is { Event: EventKind.Completed, Size: { } skipped })
        {
            AddToTotal(skipped, 0);
        }
    }

    private sealed class TextColumn(int width, Justify justification, Func<ProgressRow, string> format) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override int? GetColumnWidth(RenderOptions options) => width;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.Tag is ProgressRow row ? format(row) : "") { Justification = justification, Overflow = Overflow.Ellipsis };
    }
}

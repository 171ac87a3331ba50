using System.Diagnostics;

namespace ResumableUploads.CrashHost;

/// <summary>
/// The steps at which the process kills itself. The client names them in the query, separated by commas (<c>?die=after-outcome</c>). Each upload crashes once
/// per step: a marker file stops the next process from crashing again. With the prefix <c>always-</c>, every process crashes.
/// </summary>
/// <param name="steps">The steps.</param>
/// <param name="mark">The path of the marker files, without the step.</param>
internal sealed class CrashPlan(string[] steps, string mark)
{
    private const string AlwaysPrefix = "always-";
    private static readonly AsyncLocal<CrashPlan?> Current = new();

    /// <summary>Reads the steps from a request. They apply to the asynchronous flow of this request.</summary>
    public static void SetFromRequest(HttpContext context, string marks)
    {
        string fileId = context.Request.Headers["X-File-Id"].ToString();
        Current.Value = new CrashPlan(context.Request.Query["die"].ToString().Split(','), Path.Combine(marks, fileId));
    }

    /// <summary>Kills the process if the current request names this step.</summary>
    public static void CrashIfRequested(string step) => Current.Value?.CrashAt(step);

    private void CrashAt(string now)
    {
        if (steps.Contains(AlwaysPrefix + now) || (steps.Contains(now) && TryMarkFirst($"{mark}.{now}")))
        {
            Process.GetCurrentProcess().Kill();
        }
    }

    private static bool TryMarkFirst(string mark)
    {
        if (File.Exists(mark))
        {
            return false;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(mark)!);
        File.WriteAllText(mark, "");
        return true;
    }
}

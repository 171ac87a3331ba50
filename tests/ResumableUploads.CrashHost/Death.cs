using System.Diagnostics;

namespace ResumableUploads.CrashHost;

/// <summary>
/// Where in the life of an upload this process is to die: the client names the step in its query (<c>?die=after-outcome</c>). Each upload
/// dies once at a step, and a file remembers it, so that the next process goes on. <c>always-...</c> is not remembered. Several steps have
/// commas between them.
/// </summary>
/// <param name="steps">The steps.</param>
/// <param name="mark">The name of the files that say that it has happened, without the step.</param>
internal sealed class Death(string[] steps, string mark)
{
    private const string Always = "always-";
    private static readonly AsyncLocal<Death?> OfThisRequest = new();

    /// <summary>Reads from a request where to die; what is called in that request then knows it.</summary>
    public static void Foresee(HttpContext context, string marks)
    {
        string fileId = context.Request.Headers["X-File-Id"].ToString();
        OfThisRequest.Value = new Death(context.Request.Query["die"].ToString().Split(','), Path.Combine(marks, fileId));
    }

    /// <summary>Dies, where the request that is worked on says that this is the step.</summary>
    public static void Come(string step) => OfThisRequest.Value?.ComeAt(step);

    private void ComeAt(string now)
    {
        if (steps.Contains(Always + now) || (steps.Contains(now) && IsFirst($"{mark}.{now}")))
        {
            Process.GetCurrentProcess().Kill();
        }
    }

    private static bool IsFirst(string mark)
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
